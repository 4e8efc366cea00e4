/**
 * `afterimage watch`: events as they come. Follows with the browser client's own parts, so that it
 * resumes by cursor, waits and gives up by the same rules as a page does.
 */
import { createConnector } from '../browser/client/connector.ts';
import type { LinkEnd } from '../browser/client/link.ts';
import { createPatience } from '../browser/client/patience.ts';
import { isCursor } from '../core/cursor.ts';
import { describeEvent } from './describe-event.ts';
import { openStream } from './open-stream.ts';
import { printable } from './printable.ts';
import { readArgs, wholeNumber } from './read-args.ts';
import { addressOn, bearer, serverUrl } from './server-url.ts';
import { UsageError, type Terminal } from './terminal.ts';

export const WATCH_HELP = `afterimage watch [--topic TOPIC]… [options]

Prints events as they come, and goes on where it was after a lost connection. Ends with Ctrl-C.

  --topic TOPIC        job:42, image:<id>, a prefix as job:*, or * for all; may be repeated; default *
  --inline WHAT        thumbnail (default), full or none: what an event brings along
  --inline-max BYTES   largest image_data with --inline full; default: the server's
  --since CURSOR       begin after this event, with what was missed
  --count N            end after N events
  --json               a line of JSON for each event, with all that it holds
  --token TOKEN        for servers that ask who follows; default AFTERIMAGE_TOKEN
  --url URL            the server; default AFTERIMAGE_URL, else http://HOST:PORT`;

const OPTIONS = {
  topic: { type: 'string', multiple: true },
  inline: { type: 'string' },
  'inline-max': { type: 'string' },
  since: { type: 'string' },
  count: { type: 'string' },
  json: { type: 'boolean' },
  token: { type: 'string' },
  url: { type: 'string' },
} as const;

interface Watching {
  /** The stream's address, without a cursor. */
  readonly address: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly since: string;
  /** True when it has seen enough. */
  onEvent(name: string, cursor: string, data: unknown): boolean;
  say(line: string): void;
}

/** Follows until it has seen enough, is told to stop (0), or is refused for good (1). */
function follow(watching: Watching, signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    let cursor = watching.since;
    let waiting: NodeJS.Timeout | undefined;
    let over = false;
    const patience = createPatience();
    const connector = createConnector({
      onOpen: () => watching.say(`following ${watching.address.href}`),
      onAlive: () => {},
      onCursor: (moved) => void (cursor = moved),
      onRetry: patience.setBase,
      onEvent(name, id, data) {
        // One piece of the stream may bring more events than were asked for.
        if (over) return;
        patience.reset();
        if (id !== '') cursor = id;
        if (watching.onEvent(name, id, data)) finish(0);
      },
      onEnd(end) {
        if (end.retry) wait(end);
        else {
          watching.say(`refused: ${end.reason}`);
          finish(1);
        }
      },
    });

    function dial(): void {
      const address = new URL(watching.address);
      if (cursor !== '') address.searchParams.set('last_event_id', cursor);
      void connector.start(async (handlers) => () => openStream(address, watching.headers, handlers));
    }

    function wait(end: LinkEnd): void {
      const waitMs = patience.nextMs(end);
      watching.say(`connection ended (${end.reason}); trying again in ${(waitMs / 1000).toFixed(1)} s`);
      waiting = setTimeout(dial, waitMs);
    }

    function finish(code: number): void {
      over = true;
      clearTimeout(waiting);
      signal.removeEventListener('abort', stop);
      connector.stop();
      resolve(code);
    }

    const stop = (): void => finish(0);
    signal.addEventListener('abort', stop, { once: true });
    dial();
  });
}

export async function watch(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readArgs(args, OPTIONS, false);
  const { inline = 'thumbnail', since = '', json = false } = values;
  if (!['thumbnail', 'full', 'none'].includes(inline)) {
    throw new UsageError(`--inline is "${inline}": expected thumbnail, full or none`);
  }
  if (since !== '' && !isCursor(since)) throw new UsageError(`--since is "${since}": expected an event's id`);
  const address = addressOn(serverUrl(values.url, terminal.env), '/events');
  for (const topic of values.topic ?? ['*']) address.searchParams.append('topic', topic);
  address.searchParams.set('inline', inline);
  const inlineMax = wholeNumber('inline-max', values['inline-max'], [0, 1, 2 ** 26]);
  if (inlineMax > 0) address.searchParams.set('inline_max', String(inlineMax));
  let left = wholeNumber('count', values.count, [Number.POSITIVE_INFINITY, 1, 1_000_000_000]);
  return follow(
    {
      address,
      headers: bearer(values.token ?? terminal.env['AFTERIMAGE_TOKEN']),
      since,
      say: (line) => terminal.err(printable(line)),
      onEvent(event, cursor, data) {
        const line = json ? JSON.stringify({ event, cursor, data }) : describeEvent(event, cursor, data);
        terminal.out(line);
        // A gap says what did not come.
        if (event !== 'gap') left -= 1;
        return left <= 0;
      },
    },
    terminal.signal,
  );
}
