/**
 * One request to the application whose answer is for everybody: asked with what is known of it, kept
 * where it may be. Who waits for it and who is served stale meanwhile is the API cache's business.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { AppError } from '../errors.ts';
import { varyNames } from './api-address.ts';
import type { ApiRequest, HeaderPairs } from './api-message.ts';
import type { ApiPlace, ApiStore, KeptResponse } from './api-store.ts';
import { responseHeaders, sharedRequestHeaders } from './forwarded-headers.ts';
import { readUpTo, wholeOf } from './read-up-to.ts';
import { lifetimeOf, millisecondsOf, type Lifetime } from './storable.ts';
import type { UpstreamClient, UpstreamResponse } from './upstream-client.ts';

export type FetchOutcome =
  | { readonly kind: 'kept'; readonly place: ApiPlace; readonly kept: KeptResponse; readonly stored: boolean }
  /** For whoever asked, and for nobody else. */
  | {
      readonly kind: 'passing';
      readonly response: UpstreamResponse;
      readonly pieces: AsyncIterable<Uint8Array>;
    };

export interface ApiFetchOptions {
  readonly revalidateMs: number;
  readonly errorMs: number;
  readonly bodyBytesMax: number;
}

export interface ApiFetchDeps {
  readonly client: UpstreamClient;
  readonly store: ApiStore;
  readonly clock: Clock;
}

export interface ApiFetchJob {
  readonly request: ApiRequest;
  readonly target: string;
  readonly ttlMs: number;
  /** What is kept of it, to be asked about and, if the application fails, to be preferred to its error. */
  readonly known: KeptResponse | undefined;
  readonly mayStore: () => boolean;
}

/** Confirmed, but to be kept no longer: good for this once. */
const ONCE: Lifetime = { freshMs: 0, mayBeStale: false };

export type ApiFetch = (job: ApiFetchJob, signal: AbortSignal) => Promise<FetchOutcome>;

export function createApiFetch(options: ApiFetchOptions, deps: ApiFetchDeps): ApiFetch {
  const { client, store, clock } = deps;

  async function keep(response: Response, body: Uint8Array, job: ApiFetchJob): Promise<FetchOutcome> {
    const { status, headers, lifetime } = response;
    const kept = {
      status,
      headers: responseHeaders(headers, []),
      body,
      bytes: body.byteLength,
      version: createHash('sha256').update(body).digest('hex'),
      ...timesOf(lifetime, headers, options, clock.nowMs()),
    };
    const place = store.place(job.request, variesBy(headers));
    const stored = lifetime.freshMs > 0 && job.mayStore() && (await store.put(place, kept));
    return { kind: 'kept', place, kept, stored };
  }

  /** What is kept was confirmed; a 304 need not repeat the headers of the 200 (RFC 9111 4.3.4). */
  async function renew(
    known: KeptResponse,
    response: UpstreamResponse,
    job: ApiFetchJob,
    signal: AbortSignal,
  ) {
    // Read to its end, which is at once: the connection is then good for the next request.
    await readUpTo(response.pieces(), 0);
    const headers = new Map([...known.headers, ...response.headers]);
    const confirmed = { ...response, status: known.status, headers };
    const lifetime = lifetimeOf(confirmed, job.ttlMs, clock.nowMs()) ?? ONCE;
    return keep({ ...confirmed, lifetime }, await wholeOf(known.body, known.bytes, signal), job);
  }

  return async (job, signal) => {
    const { request, target, known } = job;
    const conditions = known === undefined ? {} : conditionsOf(known.headers);
    const headers = { ...sharedRequestHeaders(request), ...conditions };
    const response = await client.send({ method: 'GET', target, headers, body: undefined }, signal);
    if (response.status >= 500 && known !== undefined) {
      response.discard();
      throw new AppError('origin_failed', 'The application answered with an error.');
    }
    if (response.status === 304 && known !== undefined) return renew(known, response, job, signal);
    const lifetime = lifetimeOf(response, job.ttlMs, clock.nowMs());
    const declaredBytes = Number(response.headers.get('content-length') ?? 0);
    if (lifetime === undefined || declaredBytes > options.bodyBytesMax) {
      return { kind: 'passing', response, pieces: response.pieces() };
    }
    const read = await readUpTo(response.pieces(), options.bodyBytesMax);
    if (read.kind === 'more') return { kind: 'passing', response, pieces: read.pieces };
    return keep({ ...response, lifetime }, read.body, job);
  };
}

/** Of a response that may be kept. */
type Response = Pick<UpstreamResponse, 'status' | 'headers'> & { readonly lifetime: Lifetime };

function timesOf(
  lifetime: Lifetime,
  headers: ReadonlyMap<string, string>,
  options: ApiFetchOptions,
  nowMs: number,
): Pick<KeptResponse, 'madeAtMs' | 'freshUntilMs' | 'revalidateUntilMs' | 'errorUntilMs'> {
  const freshUntilMs = nowMs + lifetime.freshMs;
  const { revalidateMs, errorMs } = lifetime.mayBeStale ? options : { revalidateMs: 0, errorMs: 0 };
  return {
    madeAtMs: nowMs - (millisecondsOf(headers.get('age')) ?? 0),
    freshUntilMs,
    revalidateUntilMs: freshUntilMs + revalidateMs,
    errorUntilMs: freshUntilMs + errorMs,
  };
}

/** An encoded answer varies by the encoding asked for, whether it says so or not. */
function variesBy(headers: ReadonlyMap<string, string>): readonly string[] {
  const names = varyNames(headers.get('vary'));
  const isEncoded = headers.has('content-encoding') && !names.includes('accept-encoding');
  return isEncoded ? varyNames([...names, 'accept-encoding'].join(',')) : names;
}

function conditionsOf(headers: HeaderPairs): Record<string, string> {
  const known = new Map(headers);
  const [etag, lastModified] = [known.get('etag'), known.get('last-modified')];
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  };
}
