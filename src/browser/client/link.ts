/**
 * The seam between a stream and its transport: one open connection, from its first byte to its one end.
 * A link never tries again; whether and when is the stream's decision.
 */

export interface LinkEnd {
  /** The server's word (`slow`, `shutdown`, `token_missing`), or `network`. */
  readonly reason: string;
  /** False where the same request would be refused again. */
  readonly retry: boolean;
  /** The least wait that the server asked for. */
  readonly afterMs?: number;
}

export interface LinkHandlers {
  onOpen(): void;
  /** Any byte has come, were it a heartbeat. */
  onAlive(): void;
  /** The position moved without an event. */
  onCursor(cursor: string): void;
  /** `retry:` of the server. */
  onRetry(ms: number): void;
  onEvent(name: string, cursor: string, data: unknown): void;
  /** Once, and not after close(). */
  onEnd(end: LinkEnd): void;
}

export interface Link {
  close(): void;
}

export type OpenLink = (address: URL, handlers: LinkHandlers, withCredentials: boolean) => Link;

/** Makes sure that a link ends once, and that nothing is heard of it after close(). */
export function endOnce(release: () => void, onEnd: (end: LinkEnd) => void): [Link, (end: LinkEnd) => void] {
  let over = false;
  const finish = (end?: LinkEnd): void => {
    if (over) return;
    over = true;
    release();
    if (end !== undefined) onEnd(end);
  };
  return [{ close: () => finish() }, finish];
}
