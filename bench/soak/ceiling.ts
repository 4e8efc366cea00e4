/** The formula of docs/operations.md: what the server may take at most, from its settings. Pure. */

export interface CeilingSettings {
  readonly MEMORY_CACHE_MB: number;
  readonly UPLOAD_BUDGET_MB: number;
  readonly DOWNLOAD_BUDGET_MB: number;
  readonly WORKER_THREADS: number;
  readonly MAX_IMAGE_MEGAPIXELS: number;
  readonly HISTORY_MB: number;
  readonly EVENTS_MAX_SUBSCRIBERS: number;
  readonly EVENTS_SUBSCRIBER_KB: number;
}

export interface Ceiling {
  readonly rows: readonly (readonly [part: string, mib: number])[];
  readonly mib: number;
}

/** `blocked`: streams that may be slow at once, each of them about other images than the next one. */
export function ceilingOf(settings: CeilingSettings, blocked: number): Ceiling {
  const rows = [
    ['the process at rest, two workers', 160],
    ['memory tier', settings.MEMORY_CACHE_MB],
    ['uploads in flight', 1.75 * settings.UPLOAD_BUDGET_MB],
    ['downloads under way', settings.DOWNLOAD_BUDGET_MB],
    ['workers', settings.WORKER_THREADS * 19 * settings.MAX_IMAGE_MEGAPIXELS],
    ['history of events', settings.HISTORY_MB],
    ['frames encoded lately', 16],
    ['open streams', settings.EVENTS_MAX_SUBSCRIBERS * 0.004],
    ['events that wait for slow streams', (blocked * settings.EVENTS_SUBSCRIBER_KB) / 1024],
  ] as const;
  return { rows, mib: Math.ceil(rows.reduce((sum, [, mib]) => sum + mib, 0)) };
}
