/** How full Redis is, as of a few seconds ago: a scrape must not wait for it. */
import type { Clock } from '../core/clock.ts';
import { masters, type RedisClient } from './redis-client.ts';

export interface KeyspaceStats {
  /** Keys of the database, whoever wrote them. */
  readonly entries: number;
  /** Memory that Redis uses. */
  readonly bytes: number;
  /** `maxmemory`; 0: none. */
  readonly limitBytes: number;
  readonly evictions: number;
}

const STALE_MS = 5000;

function field(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

export function createKeyspaceStats(
  client: RedisClient,
  clock: Clock,
): { read(): KeyspaceStats; refresh(): Promise<void> } {
  let latest: KeyspaceStats = { entries: 0, bytes: 0, limitBytes: 0, evictions: 0 };
  let readAtMs = 0;

  async function refresh(): Promise<void> {
    const sum = { entries: 0, bytes: 0, limitBytes: 0, evictions: 0 };
    for (const node of masters(client)) {
      const [entries, memory, stats] = await Promise.all([
        node.dbsize(),
        node.info('memory'),
        node.info('stats'),
      ]);
      sum.entries += entries;
      sum.bytes += field(memory, 'used_memory');
      sum.limitBytes += field(memory, 'maxmemory');
      sum.evictions += field(stats, 'evicted_keys');
    }
    latest = sum;
  }

  return {
    refresh,
    read() {
      const nowMs = clock.nowMs();
      if (nowMs - readAtMs > STALE_MS) {
        readAtMs = nowMs;
        // The last numbers stand while Redis is away.
        refresh().catch(() => undefined);
      }
      return latest;
    },
  };
}
