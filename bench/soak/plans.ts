/** Which soaks a run consists of, and the settings of each: small ones, so that every budget is reached. Pure. */
import type { CeilingSettings } from './ceiling.ts';
import type { Plan } from './soak.ts';

export interface Wish {
  readonly minutes: number;
  readonly seed: number;
  readonly perSecond: number;
  /** Undefined: over the disk and over Redis. */
  readonly redis: boolean | undefined;
  readonly squeeze: boolean;
  readonly hasRedis: boolean;
}

const MIXED: CeilingSettings = {
  MEMORY_CACHE_MB: 24,
  UPLOAD_BUDGET_MB: 64,
  DOWNLOAD_BUDGET_MB: 64,
  WORKER_THREADS: 2,
  MAX_IMAGE_MEGAPIXELS: 4,
  HISTORY_MB: 4,
  EVENTS_MAX_SUBSCRIBERS: 500,
  EVENTS_SUBSCRIBER_KB: 1024,
};

const SQUEEZED: CeilingSettings = {
  MEMORY_CACHE_MB: 64,
  UPLOAD_BUDGET_MB: 32,
  DOWNLOAD_BUDGET_MB: 64,
  WORKER_THREADS: 2,
  MAX_IMAGE_MEGAPIXELS: 2,
  HISTORY_MB: 8,
  EVENTS_MAX_SUBSCRIBERS: 300,
  EVENTS_SUBSCRIBER_KB: 256,
};

/** History is full within the warm-up: growing until then is no leak. */
const ENV = { HISTORY_EVENTS: '1000', MAX_IMAGE_MB: '8', CACHE_SIZE_MB: '1000', CACHE_MIN_FREE_MB: '0' };

const SQUEEZE_SIZES = { imageBytes: 4 * 2 ** 20, side: 1400, crowd: 60, images: 60 };
const SHARE_OF_SQUEEZE = 0.2;
const FAULT_EVERY_MS = 20_000;

export function plansOf(wish: Wish): readonly Plan[] {
  const { seed, perSecond, hasRedis } = wish;
  const plan = (name: string, redis: boolean, minutes: number): Plan => ({
    name,
    minutes,
    seed,
    perSecond,
    redis,
    followers: 24,
    settings: MIXED,
    env: ENV,
    faultEveryMs: Math.min(FAULT_EVERY_MS, minutes * 10_000),
  });
  const squeezed = (minutes: number): Plan => ({
    ...plan('squeeze', false, minutes),
    settings: SQUEEZED,
    // Refused in good time rather than served after a minute.
    env: { ...ENV, WORKER_QUEUE: '16' },
    squeeze: SQUEEZE_SIZES,
  });
  if (wish.squeeze) return [squeezed(wish.minutes)];
  if (wish.redis === true) return [plan('redis', hasRedis, wish.minutes)];
  if (wish.redis === false) return [plan('disk', false, wish.minutes)];
  const rest = wish.minutes * (1 - SHARE_OF_SQUEEZE);
  const tiers = hasRedis
    ? [plan('disk', false, rest / 2), plan('redis', true, rest / 2)]
    : [plan('disk', false, rest)];
  return [...tiers, squeezed(wish.minutes * SHARE_OF_SQUEEZE)];
}
