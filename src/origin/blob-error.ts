/** What a failed Azure call means, told from its status and code alone: SDK classes differ by version. */
import { isObject } from '../core/json.ts';
import { AppError } from '../errors.ts';

export type BlobFailure =
  | { readonly kind: 'missing' | 'unchanged' | 'changed' }
  | { readonly kind: 'unsatisfiable'; readonly totalBytes: number }
  /** `alive`: Azure answered, so that the breaker has nothing to learn from it. */
  | {
      readonly kind: 'failed';
      readonly error: AppError;
      readonly alive: boolean;
      /** It will not answer otherwise before an operator does something. */
      readonly denied: boolean;
      readonly retryAfterMs: number;
    };

interface Failure {
  readonly status: number;
  readonly code: string;
  header(name: string): string;
}

function readFailure(thrown: unknown): Failure {
  if (!isObject(thrown)) return { status: 0, code: '', header: () => '' };
  const { statusCode, code, response } = thrown;
  const headers = isObject(response) && isObject(response['headers']) ? response['headers'] : {};
  const get = headers['get'];
  const header = (name: string): string =>
    typeof get === 'function' ? String(get.call(headers, name) ?? '') : '';
  return {
    status: typeof statusCode === 'number' ? statusCode : 0,
    // The SDK takes it from the body, which a proxy may have dropped.
    code: typeof code === 'string' ? code : header('x-ms-error-code'),
    header,
  };
}

/** `Retry-After` in seconds or as a date (RFC 9110 10.2.3); 0 when there is none. */
function retryAfterMs(text: string, nowMs: number): number {
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - nowMs);
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Azure refused the credentials of this server.',
  403: 'Azure refused this server access to the blob.',
  404: 'Azure has no such container.',
  409: 'Azure cannot give the blob in its present state (archived, or leased).',
  429: 'Azure asks for fewer requests.',
  503: 'Azure is busy.',
};

export function readBlobError(thrown: unknown, nowMs: number): BlobFailure {
  const { status, code, header } = readFailure(thrown);
  if (status === 304) return { kind: 'unchanged' };
  if (status === 412) return { kind: 'changed' };
  // A container that is not there is a mistake of the operator's, not a missing image.
  const lacksContainer = status === 404 && code.startsWith('Container');
  if (status === 404 && !lacksContainer) return { kind: 'missing' };
  if (status === 416) {
    const [, total = '0'] = /\/(\d+)$/.exec(header('content-range')) ?? [];
    return { kind: 'unsatisfiable', totalBytes: Number(total) };
  }
  const reason =
    REASONS[status] ?? (status === 0 ? 'Azure cannot be reached.' : 'Azure answered with an error.');
  return {
    kind: 'failed',
    error: new AppError('origin_failed', reason, thrown),
    denied: status === 401 || status === 403 || lacksContainer,
    alive: status >= 400 && status < 500 && status !== 429 && status !== 408,
    retryAfterMs: retryAfterMs(header('retry-after'), nowMs),
  };
}
