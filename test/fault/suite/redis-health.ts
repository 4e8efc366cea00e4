/** What /readyz and the parts of /admin/stats say of Redis while it fails, and afterwards. */
import { expect } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import type { Stage } from './fault.ts';

type RedisPart = 'redis-breaker' | 'redis-backend' | 'redis-invalidation' | 'events-bus';

/** These are said to be down within a moment, and requests may come all the same. */
export function saysDown(...parts: readonly RedisPart[]): (stage: Stage) => Promise<void> {
  return async ({ server }) => {
    await eventually(
      async () => {
        const down = await server.down();
        return parts.every((part) => down.includes(part));
      },
      `${parts.join(', ')} said to be down`,
    );
    expect(await server.ready(), 'it serves, so it is ready').toBe(true);
  };
}

/** Too short to be seen as a state: it is said in the log, from now on. */
export function saysInLog(server: Stage['server'], line: RegExp): () => Promise<void> {
  const from = server.log().length;
  return async () => eventually(() => line.test(server.log().slice(from)), `the log says ${line}`);
}

/** Nothing is said to be down: this is no outage. */
export async function saysUp({ server }: Stage): Promise<void> {
  expect(await server.down()).toEqual([]);
  expect(await server.ready()).toBe(true);
}

export async function untilAllUp({ server }: Pick<Stage, 'server'>): Promise<void> {
  await eventually(async () => (await server.down()).length === 0, 'no part is down any more');
}
