/** One event stream over Node's fetch, as a link of the browser client: that one's own needs a page. */
import { z } from 'zod';
import { endOnce, type Link, type LinkEnd, type LinkHandlers } from '../browser/client/link.ts';
import { createSseParser } from '../browser/client/sse-parser.ts';
import { whyFailed } from './why-failed.ts';

const problemSchema = z.object({ code: z.string(), detail: z.string() });
const closeSchema = z.object({ reason: z.string() });

/** Refused for good: the same request would get the same answer. */
function isFinal(status: number): boolean {
  return status < 300 || (status >= 400 && status < 500 && ![408, 425, 429].includes(status));
}

async function refusal(response: Response): Promise<LinkEnd> {
  const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
  const { code, detail } = problem.data ?? {};
  return {
    reason: problem.success ? `${code}: ${detail}` : `HTTP ${response.status}, not an event stream`,
    retry: !isFinal(response.status),
    afterMs: Number(response.headers.get('retry-after')) * 1000 || 0,
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function openStream(address: URL, headers: Readonly<Record<string, string>>, on: LinkHandlers): Link {
  const abort = new AbortController();
  const [link, finish] = endOnce(() => abort.abort(), on.onEnd);

  const parse = createSseParser({
    onEvent(name, id, text) {
      const data = readJson(text);
      const close = name === 'close' ? closeSchema.safeParse(data) : undefined;
      if (close === undefined) return on.onEvent(name, id, data);
      const reason = close.data?.reason ?? 'closed';
      finish({ reason, retry: reason !== 'forbidden' });
    },
    onId: on.onCursor,
    onRetry: on.onRetry,
  });

  async function read(): Promise<LinkEnd> {
    const response = await fetch(address, {
      headers: { Accept: 'text/event-stream', ...headers },
      signal: abort.signal,
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    if (response.status !== 200 || !isStream || response.body === null) return refusal(response);
    on.onOpen();
    const decoder = new TextDecoder();
    for await (const piece of response.body) {
      on.onAlive();
      parse(decoder.decode(piece, { stream: true }));
    }
    return { reason: 'network', retry: true };
  }

  read().then(finish, (error: unknown) => finish({ reason: whyFailed(error), retry: true }));
  return link;
}
