/** The stream of events in Redis: its commands, and nothing of when they are sent. */
import type { EventDraft } from '../core/event.ts';
import { readEventFields, writeEventFields, type EventEntry } from './event-entry.ts';
import { isReplyError, type RedisClient } from './redis-client.ts';

export interface EventStreamOptions {
  readonly key: string;
  /** Where the cursor is noted at which this history began. */
  readonly beganKey: string;
  readonly limitEvents: number;
  readonly limitBytes: number;
  readonly maxAgeMs: number;
}

/** What there is of the stream now. */
export interface StreamState {
  /** Of the newest event that ever was in it. */
  readonly lastId: string;
  /** Of the oldest event that is still there; undefined: it is empty. */
  readonly firstId: string | undefined;
  readonly length: number;
  /** Events that ever were in it; undefined: this Redis does not count them. */
  readonly added: number | undefined;
}

/** An entry that is no event is passed over, but not read again. */
export interface StreamEntry {
  readonly id: string;
  readonly entry: EventEntry | undefined;
}

export interface StreamTail {
  readonly entries: readonly StreamEntry[];
  readonly isAll: boolean;
}

export interface EventStream {
  add(client: RedisClient, draft: EventDraft, origin: string): Promise<string>;
  /** Undefined: there is no stream yet, or not any more. */
  state(client: RedisClient): Promise<StreamState | undefined>;
  /** The newest id; undefined: the stream is empty. */
  tip(client: RedisClient): Promise<string | undefined>;
  /** Entries after the id, in order; waits for one until `blockMs` have passed. */
  readAfter(client: RedisClient, id: string, blockMs: number): Promise<readonly StreamEntry[]>;
  /** The newest entries up to `through` that fit the limits, oldest first, and whether these are all. */
  tail(client: RedisClient, through: string): Promise<StreamTail>;
  /** The cursor at which this history began; noted now, if it was not. */
  began(client: RedisClient, nowMs: number): Promise<string>;
  /** Milliseconds since the epoch, as Redis has it. */
  nowMs(client: RedisClient): Promise<number>;
  /** Drops what is too old or too much. */
  trim(client: RedisClient, nowMs: number): Promise<void>;
}

/** Entries of one read. */
export const READ_COUNT = 1000;
/** However little history is wanted: who is a moment behind must still find what it has not read. */
const LENGTH_MIN = 50_000;
const TAIL_COUNT = 500;

function asEntry([id, fields]: [id: string, fields: string[]]): StreamEntry {
  return { id, entry: readEventFields(id, fields) };
}

/** XINFO's flat list of names and values, or undefined where the name is not among them. */
function infoField(info: readonly unknown[], name: string): unknown {
  const at = info.indexOf(name);
  return at === -1 ? undefined : info[at + 1];
}

async function readTail(
  client: RedisClient,
  through: string,
  { key, limitEvents, limitBytes }: EventStreamOptions,
): Promise<StreamTail> {
  const newestFirst: StreamEntry[] = [];
  let bytes = 0;
  let from = through;
  for (;;) {
    const page = await client.xrevrange(key, from, '-', 'COUNT', TAIL_COUNT);
    for (const [id, fields] of page) {
      bytes += fields.reduce((sum, field) => sum + field.length, 0);
      const isOver = newestFirst.length >= limitEvents || bytes > limitBytes;
      if (isOver) return { entries: newestFirst.toReversed(), isAll: false };
      newestFirst.push(asEntry([id, fields]));
    }
    const last = page.at(-1);
    if (last === undefined || page.length < TAIL_COUNT) break;
    from = `(${last[0]}`;
  }
  return { entries: newestFirst.toReversed(), isAll: true };
}

export function createEventStream(options: EventStreamOptions): EventStream {
  const { key, beganKey } = options;
  const lengthMax = Math.max(options.limitEvents, LENGTH_MIN);
  /** It goes by itself when no instance is left to trim it. */
  const ttlMs = Math.max(2 * options.maxAgeMs, 3_600_000);

  return {
    async add(client, draft, origin) {
      const fields = writeEventFields(draft, origin);
      const id = await client.xadd(key, 'MAXLEN', '~', lengthMax, '*', ...fields);
      if (id === null) throw new Error('XADD gave no id');
      return id;
    },
    async state(client) {
      try {
        const info: unknown = await client.xinfo('STREAM', key);
        if (!Array.isArray(info)) throw new Error('XINFO gave no list');
        const first: unknown = infoField(info, 'first-entry');
        const added = infoField(info, 'entries-added');
        return {
          lastId: String(infoField(info, 'last-generated-id')),
          firstId: Array.isArray(first) ? String(first[0]) : undefined,
          length: Number(infoField(info, 'length')),
          added: added === undefined ? undefined : Number(added),
        };
      } catch (error) {
        if (isReplyError(error, 'ERR no such key')) return undefined;
        throw error;
      }
    },
    async tip(client) {
      const [newest] = await client.xrevrange(key, '+', '-', 'COUNT', 1);
      return newest?.[0];
    },
    async readAfter(client, id, blockMs) {
      const reply = await client.xread('COUNT', READ_COUNT, 'BLOCK', blockMs, 'STREAMS', key, id);
      return (reply?.[0]?.[1] ?? []).map(asEntry);
    },
    tail: async (client, through) => readTail(client, through, options),
    async began(client, nowMs) {
      // One before now: an event of this very millisecond comes after it.
      await client.set(beganKey, `${nowMs - 1}-0`, 'PX', ttlMs, 'NX');
      return (await client.get(beganKey)) ?? `${nowMs - 1}-0`;
    },
    async nowMs(client) {
      const [seconds, microseconds] = await client.time();
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    },
    async trim(client, nowMs) {
      await client.xtrim(key, 'MINID', '~', Math.max(0, nowMs - options.maxAgeMs));
      const bytes = (await client.memory('USAGE', key)) ?? 0;
      if (bytes > options.limitBytes) {
        const length = await client.xlen(key);
        await client.xtrim(key, 'MAXLEN', '~', Math.floor((length * options.limitBytes) / bytes));
      }
      await Promise.all([client.pexpire(key, ttlMs), client.pexpire(beganKey, ttlMs)]);
    },
  };
}
