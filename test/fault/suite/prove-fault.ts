/**
 * One fault from beginning to end: load runs, the fault comes and goes, and then the same is checked of
 * every one: no wrong byte, nothing accepted lost, nothing refused that was not allowed, nothing leaked,
 * the server ready again without a restart. Rows are kept for the table.
 */
import { expect } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import type { Fault } from './fault.ts';
import type { FaultServer, Holdings } from './fault-server.ts';
import { keepRow } from './fault-table.ts';
import { startLoad, type LoadOptions } from './load.ts';

/** Requests before, during and after: enough that each loop comes round a few times. */
const BEFORE = 60;
const DURING = 60;
const CLEAN = 30;
/** A kept-alive connection to Redis or Azure, a log file, a timer between two polls: not a leak. */
const FDS_SLACK = 6;
const TIMERS_SLACK = 4;

let seed = 0;

export async function proveFault(
  server: FaultServer,
  fault: Fault,
  options: LoadOptions = {},
): Promise<void> {
  seed += 1;
  const before = await settledHoldings(server);
  const load = await startLoad(server, seed, options);
  const stage = { server, load };
  let recoveredMs = 0;
  let isHealed = false;
  const heal = async (): Promise<void> => {
    if (!isHealed) await fault.heal?.(stage);
    isHealed = true;
  };
  try {
    await load.more(BEFORE);
    expect([...load.tally().refused], 'refused before anything failed').toEqual([]);
    await fault.inject(stage);
    await load.more(DURING);
    await fault.told?.(stage);
    const healedMs = performance.now();
    await heal();
    await load.clean(CLEAN);
    await eventually(async () => server.ready().catch(() => false), 'it is ready again');
    await fault.healed?.(stage);
    recoveredMs = performance.now() - healedMs;
  } finally {
    // What failed above must not fail whoever comes next on the same server.
    await heal();
    await load.stop();
  }
  await load.verify();
  const { requests, refused, wrong } = load.tally();
  const told = [...refused].map(([kind, count]) => `${count} × ${kind}`).join(', ');
  keepRow({ fault: fault.name, how: fault.how, requests, refused: told || 'none', recoveredMs });
  expect(wrong.slice(0, 5), 'wrong answers').toEqual([]);
  const allowed = new Set([...(fault.refusals ?? []).map(String), ...(fault.mayBreak ? ['broken'] : [])]);
  expect(
    [...refused.keys()].filter((kind) => !allowed.has(kind)),
    'refused otherwise than it may',
  ).toEqual([]);
  await fault.after?.(stage);
  await assertNothingLeaked(server, before);
}

/** At rest: what the last load left is given back first. */
async function settledHoldings(server: FaultServer): Promise<Holdings> {
  await eventually(async () => isAtRest(await server.holdings()), 'the server is at rest');
  return server.holdings();
}

function isAtRest(held: Holdings): boolean {
  const { workersRunning, workersQueued, uploadBytes, lookups, subscribers, waitingBytes } = held;
  return workersRunning + workersQueued + uploadBytes + lookups + subscribers + waitingBytes === 0;
}

async function assertNothingLeaked(server: FaultServer, before: Holdings): Promise<void> {
  let now = await server.holdings();
  const isFreed = async (): Promise<boolean> => {
    now = await server.holdings();
    return isAtRest(now) && now.fds <= before.fds + FDS_SLACK && now.timers <= before.timers + TIMERS_SLACK;
  };
  await eventually(isFreed, 'all is given back').catch(() => {
    throw new Error(`leaked: ${JSON.stringify({ before, now })}`);
  });
}
