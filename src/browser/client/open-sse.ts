/**
 * One event stream over fetch: unlike EventSource it sees statuses, heartbeats and events of any name,
 * and leaves waiting and resuming to us.
 */
import { endOnce, type LinkEnd, type OpenLink } from './link.ts';
import { createSseParser } from './sse-parser.ts';

/** Refused for good: the same request would get the same answer. */
function isFinal(status: number): boolean {
  return status === 204 || (status >= 400 && status < 500 && ![408, 425, 429].includes(status));
}

async function refusal(response: Response): Promise<LinkEnd> {
  const problem: unknown = await response.json().catch(() => ({}));
  const code = (problem as { code?: unknown } | null)?.code;
  return {
    reason: typeof code === 'string' ? code : `http_${response.status}`,
    retry: !isFinal(response.status),
    afterMs: Number(response.headers.get('Retry-After')) * 1000 || 0,
  };
}

/** JSON, or the text itself: one odd event must not end the stream again and again. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The reason that `event: close` carries. */
export function closing(data: unknown): LinkEnd {
  const reason = String((data as { reason?: unknown } | null)?.reason ?? 'closed');
  return { reason, retry: reason !== 'forbidden' };
}

export const openSse: OpenLink = (address, on, withCredentials) => {
  const abort = new AbortController();
  const [link, finish] = endOnce(() => abort.abort(), on.onEnd);

  const parse = createSseParser({
    onEvent(name, id, text) {
      const data = readJson(text);
      if (name === 'close') finish(closing(data));
      else on.onEvent(name, id, data);
    },
    onId: on.onCursor,
    onRetry: on.onRetry,
  });

  async function read(): Promise<LinkEnd> {
    const response = await fetch(address, {
      headers: { Accept: 'text/event-stream' },
      cache: 'no-store',
      credentials: withCredentials ? 'include' : 'same-origin',
      signal: abort.signal,
    });
    const isStream = response.headers.get('Content-Type')?.startsWith('text/event-stream');
    if (response.status !== 200 || !isStream || !response.body) return refusal(response);
    on.onOpen();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      on.onAlive();
      parse(decoder.decode(piece.value, { stream: true }));
    }
    return { reason: 'network', retry: true };
  }

  read().then(finish, () => finish({ reason: 'network', retry: true }));
  return link;
};
