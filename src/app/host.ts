/** The parent of several processes, built: each runs this program again, with its place and the port. */
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/table.ts';
import { systemClock } from '../core/clock.ts';
import type { Log } from '../observe/log.ts';
import { freePort } from '../processes/free-port.ts';
import { forkChild } from '../processes/fork-child.ts';
import { PLACE_VARIABLE } from '../processes/parent-link.ts';
import { GATHER_DEADLINE_MS } from '../processes/peers.ts';
import { supervise } from '../processes/supervisor.ts';
import { createSwitchboard } from '../processes/switchboard.ts';
import { keepCounts, type Reading } from './readings.ts';

export interface HostOptions {
  readonly count: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly stop: AbortSignal;
  /** With the address that all of them listen on. */
  readonly onListening: (url: string) => void;
}

const START_TIMEOUT_MS = 60_000;
/** Beyond STOP_GRACE_S, for what is closed after the last request: the workers, Redis, the disk. */
const STOP_EXTRA_MS = 15_000;
const RESTART = { delayMs: 250, delayMsMax: 10_000, steadyMs: 60_000, endsMax: 10 };
/** Half a minute without a turn of its loop: nothing of what a process does may take that long. */
const WATCHDOG = { everyMs: 5000, missedMax: 6 };
/** As in launch.cts: for files and DNS, while every worker encodes. */
const POOL_RESERVE = 4;

/** A part of the threads that launch.cts, or the operator, gave the host. */
function poolSize(env: HostOptions['env'], count: number): string {
  const total = Number(env['UV_THREADPOOL_SIZE']) || POOL_RESERVE;
  return String(Math.min(total, Math.ceil(Math.max(0, total - POOL_RESERVE) / count) + POOL_RESERVE));
}

/** Runs the processes; the exit code. */
export async function runHost(config: Config, options: HostOptions): Promise<number> {
  const { count, env, log, stop, onListening } = options;
  const port = config.PORT === 0 ? await freePort(config.HOST) : config.PORT;
  const program = fileURLToPath(new URL('../launch.cjs', import.meta.url));
  const spawn = (process: number) =>
    forkChild<Reading>({
      program,
      args: ['serve'],
      env: {
        ...env,
        PORT: String(port),
        UV_THREADPOOL_SIZE: poolSize(env, count),
        [PLACE_VARIABLE]: `${process}/${count}`,
      },
    });
  const switchboard = createSwitchboard({ count, deadlineMs: GATHER_DEADLINE_MS }, { keep: keepCounts });
  log.info({ processes: count }, `starting ${count} processes`);
  const stopTimeoutMs = (config.STOP_DELAY_S + config.STOP_GRACE_S) * 1000 + STOP_EXTRA_MS;
  const code = await supervise(
    { count, startTimeoutMs: START_TIMEOUT_MS, stopTimeoutMs, restart: RESTART, watchdog: WATCHDOG },
    {
      spawn,
      switchboard,
      log,
      nowMs: systemClock.nowMs,
      onListening: (url) => {
        log.info({ processes: count }, `${count} processes answer at ${url}`);
        onListening(url);
      },
    },
    stop,
  );
  log.info('all processes have ended');
  return code;
}
