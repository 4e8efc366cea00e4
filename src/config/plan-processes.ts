/** How many processes the host gets, and what each has of the budgets that are meant for all. Pure. */
import type { Config } from './table.ts';

export interface Host {
  readonly platform: string;
  readonly cores: number;
}

export interface ProcessPlan {
  readonly count: number;
  /** Why there are fewer than were asked for. */
  readonly why?: string;
}

/** Threads of a process when nobody said how many: with one, a long rendering would hold up every upload. */
const THREADS_MIN = 2;

export function planProcesses(config: Config, host: Host): ProcessPlan {
  const asked = config.PROCESSES;
  const count = asked === 'auto' ? host.cores : asked;
  if (asked === 1) return { count };
  if (count === 1) return { count, why: 'PROCESSES is auto and there is one core: staying at one process' };
  if (!config.REDIS_ENABLED) {
    const why =
      `PROCESSES is ${asked} but REDIS_ENABLED is false: staying at one process, ` +
      'since several need Redis to know of each other’s images and events';
    return { count: 1, why };
  }
  if (host.platform === 'linux') return { count };
  return { count: 1, why: `PROCESSES is ${asked}: staying at one process, since only Linux shares a port` };
}

/** What process `number` of `count` works with: budgets of the host divided, everything else as it is. */
export function shareOf(config: Config, number: number, count: number, cores: number): Config {
  const part = (total: number): number => Math.ceil(total / count);
  const threads =
    config.WORKER_THREADS === 0 ? Math.max(THREADS_MIN, part(cores)) : part(config.WORKER_THREADS);
  // Whatever its part, an upload of the largest size must get through.
  const uploadMin = Math.min(config.UPLOAD_BUDGET_MB, 2 * config.MAX_IMAGE_MB);
  return {
    ...config,
    MEMORY_CACHE_MB: part(config.MEMORY_CACHE_MB),
    MEMORY_CACHE_IMAGES: part(config.MEMORY_CACHE_IMAGES),
    CACHE_SIZE_MB: part(config.CACHE_SIZE_MB),
    CACHE_DIR: dirOf(config.CACHE_DIR, number),
    WORKER_THREADS: threads,
    WORKER_QUEUE: part(config.WORKER_QUEUE),
    UPLOAD_BUDGET_MB: Math.max(part(config.UPLOAD_BUDGET_MB), uploadMin),
    DOWNLOAD_BUDGET_MB: part(config.DOWNLOAD_BUDGET_MB),
    EVENTS_MAX_SUBSCRIBERS: part(config.EVENTS_MAX_SUBSCRIBERS),
  };
}

/** Each counts the bytes of a folder of its own; the first goes on with what a single process left. */
function dirOf(dir: string, number: number): string {
  return dir === '' || number === 1 ? dir : `${dir}/process-${number}`;
}
