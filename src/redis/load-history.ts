/** Makes the mirrored past anew from the stream. */
import type { BusHistory } from './bus-history.ts';
import type { EventStream } from './event-stream.ts';
import type { RedisClient } from './redis-client.ts';

export interface LoadDeps {
  readonly client: RedisClient;
  readonly stream: EventStream;
  readonly history: BusHistory;
}

/** Through the entry `throughId`; `began` is where all of this history began. */
export async function loadHistory(throughId: string, began: string, deps: LoadDeps): Promise<void> {
  const { client, stream, history } = deps;
  const { entries, isAll } = await stream.tail(client, throughId);
  const state = await stream.state(client);
  const isWhole = isAll && (state === undefined || state.added === state.length);
  const first = entries[0]?.id;
  const events = entries.flatMap(({ entry }) => (entry === undefined ? [] : [entry.event]));
  const beginning =
    isWhole || first === undefined
      ? ({ cursor: began, reason: 'restarted' } as const)
      : ({ cursor: first, reason: 'evicted' } as const);
  history.begin(beginning, events, throughId);
}
