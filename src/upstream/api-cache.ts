/**
 * The cache in front of an upstream application: which request may be answered from what is kept, who
 * waits for whom, what is served stale. RFC 9111 with the stale rules of RFC 5861.
 */
import type { Clock } from '../core/clock.ts';
import { compileGlob } from '../core/glob.ts';
import { checkedTarget, primaryKey } from './api-address.ts';
import { createAnswers } from './answers.ts';
import { passingAnswer } from './api-answer.ts';
import type { ApiFetch } from './api-fetch.ts';
import type { ApiAnswer, ApiRequest } from './api-message.ts';
import type { ApiStore } from './api-store.ts';
import { ownRequestHeaders } from './forwarded-headers.ts';
import { createSharedFetch } from './shared-fetch.ts';
import { isPrivateRequest } from './storable.ts';
import { isSafe, type UpstreamClient } from './upstream-client.ts';

export interface ApiCacheOptions {
  /** The first whose pattern matches the path counts. */
  readonly routes: readonly { readonly pattern: string; readonly ttlS: number }[];
  /** False: every request goes to the application. */
  readonly enabled: boolean;
}

export interface ApiCacheDeps {
  readonly fetch: ApiFetch;
  readonly client: UpstreamClient;
  readonly store: ApiStore;
  readonly clock: Clock;
}

export interface ApiCacheStats {
  readonly hits: number;
  readonly stale: number;
  readonly misses: number;
  readonly bypassed: number;
  readonly collapsed: number;
  /** Of the stale ones: because the application failed. */
  readonly staleAfterError: number;
  readonly calls: number;
  readonly errors: number;
}

export interface ApiCache {
  /** AppError origin_failed, origin_timeout, overloaded, query_invalid, route_not_found. */
  handle(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer>;
  stats(): ApiCacheStats;
}

export function createApiCache(options: ApiCacheOptions, deps: ApiCacheDeps): ApiCache {
  const { client, store, clock } = deps;
  const routes = options.routes.map(({ pattern, ttlS }) => ({
    matches: compileGlob(pattern),
    ttlMs: ttlS * 1000,
  }));
  const shared = createSharedFetch(deps);
  const answers = createAnswers(shared, clock);
  let bypassed = 0;

  async function pass(request: ApiRequest, target: string, signal: AbortSignal): Promise<ApiAnswer> {
    request.admit?.();
    bypassed += 1;
    const { method, body } = request;
    const response = await client.send({ method, target, headers: ownRequestHeaders(request), body }, signal);
    if (!isSafe(method) && response.status < 400) {
      // What it has changed may not be served from here any more (RFC 9111 4.4).
      shared.invalidate(primaryKey(request));
      await store.remove(primaryKey(request));
    }
    const pieces = response.pieces();
    // Without a body the answer is over: read to its end, its connection is good for the next request.
    if (method === 'HEAD' || response.status === 204 || response.status === 304) await pieces.next();
    return passingAnswer(response, pieces, { kind: 'bypass' });
  }

  return {
    async handle(request, signal) {
      const target = checkedTarget(request);
      const { method, path } = request;
      const route = options.enabled ? routes.find(({ matches }) => matches(path)) : undefined;
      const isRead = method === 'GET' || method === 'HEAD';
      if (route === undefined || !isRead || isPrivateRequest(request)) return pass(request, target, signal);
      const { place, kept } = await store.find(request, signal);
      if (method === 'HEAD' && kept === undefined) return pass(request, target, signal);
      return answers.answer({ request, target, ttlMs: route.ttlMs, place, known: kept }, signal);
    },
    stats: () => ({ ...answers.stats(), bypassed, collapsed: shared.collapsed(), ...callsOf(client) }),
  };
}

function callsOf(client: UpstreamClient): { readonly calls: number; readonly errors: number } {
  const { calls, errors } = client.stats();
  return { calls, errors };
}
