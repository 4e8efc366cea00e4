/** Looks at the server each second, from outside: its memory from the kernel, its counters from /metrics. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Sample {
  readonly atMs: number;
  readonly rssMib: number;
  readonly heapMib: number;
  readonly fds: number;
  /** Some of what /metrics has, without its prefix. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface Sampler {
  readonly samples: readonly Sample[];
  /** Highest resident memory there ever was, also between two looks. */
  peakMib(): number;
  /** Resolves when a look that has begun is over. */
  stop(): Promise<void>;
  look(): Promise<Sample | undefined>;
}

const EVERY_MS = 1000;
const MIB = 2 ** 20;
const KEPT = [
  'http_requests_total',
  'uploads_in_flight_bytes',
  'downloads_held_bytes',
  'worker_jobs_running',
  'worker_jobs_queued',
  'worker_crashes_total',
  'worker_timeouts_total',
  'subscribers',
  'subscribers_blocked',
  'event_waiting_bytes',
  'events_published_total',
  'event_gaps_total',
  'renders_total',
  'tier_evictions_total{tier="memory"}',
  'tier_bytes{tier="memory"}',
];

function kibOf(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
}

function readMetrics(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith('afterimage_'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice('afterimage_'.length, space), Number(line.slice(space + 1))] as const;
    }),
  );
}

export function startSampler(pid: number, base: string, onSample: (sample: Sample) => void): Sampler {
  const samples: Sample[] = [];
  let peakKib = 0;
  let looking: Promise<Sample | undefined> = Promise.resolve(undefined);

  async function read(): Promise<Sample | undefined> {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      peakKib = Math.max(peakKib, kibOf(status, 'VmHWM'));
      const fds = readdirSync(`/proc/${pid}/fd`).length;
      const answer = await fetch(`${base}/metrics`, { signal: AbortSignal.timeout(5000) });
      const metrics = readMetrics(await answer.text());
      return {
        atMs: performance.now(),
        rssMib: kibOf(status, 'VmRSS') / 1024,
        heapMib: (metrics.get('nodejs_heap_size_used_bytes') ?? Number.NaN) / MIB,
        fds,
        counters: Object.fromEntries(KEPT.map((name) => [name, metrics.get(name) ?? 0])),
      };
    } catch {
      // Busy, or gone: whoever makes requests will see which.
      return undefined;
    }
  }

  const look = async (): Promise<Sample | undefined> => {
    const sample = await read();
    if (sample === undefined) return undefined;
    samples.push(sample);
    onSample(sample);
    return sample;
  };
  const timer = setInterval(() => (looking = looking.then(look)), EVERY_MS);

  return {
    samples,
    peakMib: () => peakKib / 1024,
    async stop() {
      clearInterval(timer);
      await looking;
    },
    look,
  };
}
