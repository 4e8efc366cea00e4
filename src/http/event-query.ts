/** What the address of an event stream asks for; the same for /events and /ws. */
import type { Grant } from '../core/grant.ts';
import { AppError } from '../errors.ts';
import type { FollowWish } from '../flows/follow-events.ts';
import type { Request } from './exchange.ts';

const INLINE_DEFAULT_BYTES = 65_536;
/** Below this no rendering is worth its place. */
const INLINE_MIN_BYTES = 256;

function readInline(query: URLSearchParams): 'none' | 'thumbnail' | 'full' {
  const inline = query.get('inline') ?? 'thumbnail';
  if (inline === 'none' || inline === 'thumbnail' || inline === 'full') return inline;
  throw new AppError('query_invalid', '`inline` is `thumbnail`, `full` or `none`.');
}

function readInlineMax(query: URLSearchParams): number {
  const text = query.get('inline_max');
  if (text === null) return INLINE_DEFAULT_BYTES;
  const bytes = Number(text);
  if (/^\d{1,10}$/.test(text) && bytes >= INLINE_MIN_BYTES) return bytes;
  throw new AppError('query_invalid', `\`inline_max\` is a number of bytes, ${INLINE_MIN_BYTES} or more.`);
}

/** EventSource polyfills each spell it their own way; the header is what a browser sends by itself. */
function readSince(request: Request, query: URLSearchParams): string {
  const header = request.header('last-event-id');
  if (header !== '') return header;
  for (const name of ['last_event_id', 'lastEventId', 'since']) {
    const value = query.get(name);
    if (value !== null && value !== '') return value;
  }
  return '';
}

/** AppError query_invalid. What it says of topics and cursor is checked by the flow. */
export function readFollowWish(request: Request, transport: 'sse' | 'ws', grant: Grant): FollowWish {
  const query = new URLSearchParams(request.query);
  const inline = readInline(query);
  const inlineMaxBytes = inline === 'full' ? readInlineMax(query) : 0;
  const wsForm = query.get('binary') === '1' ? 'ws-binary' : 'ws-json';
  return {
    mode: { transport: transport === 'sse' ? 'sse' : wsForm, inline, inlineMaxBytes },
    topics: query.getAll('topic'),
    topicsMayFollow: transport === 'ws',
    since: readSince(request, query),
    client: request.clientAddress(),
    grant,
  };
}
