/**
 * What goes wrong during a soak, at moments that the seed chooses, one thing at a time. Each says how long
 * what was accepted may be out of reach because of it.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Draw } from './draw.ts';
import type { SoakRedis } from './redis.ts';
import type { Stage } from './stage.ts';
import { leaveUpload, poison } from './write-images.ts';

export interface Faults {
  /** Name and how often. */
  readonly counts: ReadonlyMap<string, number>;
  /** When each began, in seconds of the run: for the plot. */
  readonly marks: readonly { readonly name: string; readonly atMs: number }[];
  isExcused(askedMs: number): boolean;
  /** What was taken in then may lie in memory alone, and be gone when that evicts it. */
  mayVanish(askedMs: number): boolean;
  stop(): Promise<void>;
}

interface Fault {
  readonly name: string;
  /** Accepted images may be away while it lasts. */
  readonly excuses: boolean;
  readonly run: () => Promise<void>;
}

export interface FaultTargets {
  readonly redis: SoakRedis | undefined;
  readonly cacheDir: string;
}

/** After a fault until everything is in reach again: a breaker's pause, the way back of what is owed. */
const SETTLE_MS = 8000;
const FIRST_MS = 5000;

function foldersBelow(dir: string): string[] {
  const all = readdirSync(dir, { recursive: true, withFileTypes: true });
  return [dir, ...all.filter((each) => each.isDirectory()).map((each) => join(each.parentPath, each.name))];
}

/** Nothing can be made or removed in the folder. Root is stopped by nothing less than the immutable flag. */
function setWritable(dir: string, isWritable: boolean): void {
  const folders = foldersBelow(dir);
  if (process.getuid?.() !== 0) {
    for (const folder of folders) chmodSync(folder, isWritable ? 0o755 : 0o555);
    return;
  }
  execFileSync('chattr', [isWritable ? '-i' : '+i', ...folders], { stdio: 'ignore' });
}

function faultsOf(stage: Stage, { redis, cacheDir }: FaultTargets, draw: Draw): Fault[] {
  const storm = async (count: number, act: (stage: Stage) => Promise<void>): Promise<void> => {
    await Promise.all(Array.from({ length: count }, async () => act(stage)));
  };
  const always: Fault[] = [
    { name: 'thirty uploads left at once', excuses: false, run: async () => storm(30, leaveUpload) },
    { name: 'thirty poisoned images at once', excuses: false, run: async () => storm(30, poison) },
    {
      name: 'disk refuses writes',
      // What was taken in meanwhile lies in memory alone.
      excuses: redis === undefined,
      async run() {
        setWritable(cacheDir, false);
        try {
          await sleep(draw.between(500, 4000));
        } finally {
          setWritable(cacheDir, true);
        }
      },
    },
  ];
  if (redis === undefined) return always;
  return [
    ...always,
    {
      name: 'Redis hangs',
      excuses: true,
      async run() {
        redis.freeze();
        await sleep(draw.between(300, 6000));
        redis.thaw();
      },
    },
    {
      name: 'Redis is killed and started again',
      excuses: true,
      async run() {
        await redis.kill();
        await sleep(draw.between(0, 5000));
        await redis.start();
      },
    },
  ];
}

export function startFaults(stage: Stage, targets: FaultTargets, draw: Draw, everyMs: number): Faults {
  const faults = faultsOf(stage, targets, draw);
  const counts = new Map<string, number>();
  const marks: { name: string; atMs: number }[] = [];
  const windows: { fromMs: number; toMs: number }[] = [];
  const stopped = new AbortController();

  async function strike(fault: Fault): Promise<void> {
    counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1);
    marks.push({ name: fault.name, atMs: performance.now() });
    const window = { fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY };
    if (fault.excuses) windows.push(window);
    try {
      await fault.run();
    } catch (error) {
      stage.tally.count('fault that could not be', String(error).slice(0, 80));
    } finally {
      window.toMs = performance.now() + SETTLE_MS;
    }
  }

  const run = async (): Promise<void> => {
    await sleep(Math.min(FIRST_MS, everyMs), undefined, { signal: stopped.signal });
    for (let at = draw.below(faults.length); ; at += 1 + draw.below(faults.length - 1)) {
      const fault = faults[at % faults.length];
      if (fault !== undefined) await strike(fault);
      await sleep(draw.between(0.5, 1.5) * everyMs, undefined, { signal: stopped.signal });
    }
  };
  const running = run().catch(() => undefined);

  return {
    counts,
    marks,
    isExcused: (askedMs) => windows.some(({ toMs }) => toMs >= askedMs),
    mayVanish: (askedMs) => targets.redis === undefined && windows.some(({ toMs }) => toMs >= askedMs),
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
