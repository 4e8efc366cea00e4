/** What goes in and out of the API cache: one request, one answer, and what the cache had to do with it. Types only. */

export type HeaderPairs = readonly (readonly [name: string, value: string])[];

export interface ApiRequest {
  readonly method: string;
  /** As sent: still percent-encoded, beginning with /api/. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Who connected: it is added to X-Forwarded-For. */
  readonly clientAddress: string;
  /** Undefined for a request without one. */
  readonly body: Uint8Array | undefined;
  /** Called before the application is asked, and may throw. */
  readonly admit?: () => void;
}

/** How an answer came about; RFC 9211 has the words. */
export interface ApiTrace {
  readonly kind: 'hit' | 'stale' | 'miss' | 'expired' | 'bypass';
  /** Seconds that it is fresh for; negative: since when it is stale. Where it was or is stored. */
  readonly ttlS?: number;
  readonly stored?: boolean;
  /** Waited for another request's answer. */
  readonly collapsed?: boolean;
  /** Stale because the upstream failed. */
  readonly afterError?: boolean;
}

export interface ApiAnswer {
  readonly status: number;
  /** Without those of the connection; with Age where it was kept. */
  readonly headers: HeaderPairs;
  /** Pieces: larger than is kept, or not to be kept; to be iterated once. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Of the body; undefined where only its end will tell. */
  readonly bytes: number | undefined;
  readonly trace: ApiTrace;
}
