/** The server that is fuzzed: the built program as a process of its own, with small limits that can be reached. */
import { readFileSync } from 'node:fs';
import { serveCli, type CliRun } from '../fixtures/run-cli.ts';
import { ADMIN_TOKEN, WRITE_TOKEN, type Corpus } from './corpus.ts';

export interface FuzzServer {
  readonly run: CliRun;
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** NaN where the system does not say. */
  residentMb(): number;
}

const SETTINGS = {
  WRITE_TOKEN,
  ADMIN_TOKEN,
  MEMORY_CACHE_MB: '16',
  CACHE_SIZE_MB: '64',
  CACHE_MIN_FREE_MB: '0',
  MAX_IMAGE_MB: '1',
  MAX_IMAGE_MEGAPIXELS: '2',
  VARIANT_SIZES: '16,32,64',
  WORKER_THREADS: '2',
  WORKER_TIMEOUT_MS: '10000',
  UPLOAD_BUDGET_MB: '32',
  HISTORY_MB: '4',
  EVENTS_MAX_SUBSCRIBERS: '500',
  SIGNING_KEYS: 'fuzz-signing-key',
  LOG_FORMAT: 'json',
  // As docs/operations.md has it for a machine without jemalloc: else glibc keeps an arena for each thread.
  MALLOC_ARENA_MAX: '2',
};

/**
 * docs/operations.md: the process at rest, memory, uploads in flight, two workers at two megapixels, the
 * history, encoded frames, open streams.
 */
const BUDGETS_MB = 160 + 16 + 1.75 * 32 + 2 * 19 * 2 + 4 + 16 + 2;
/** Kept for later by V8 and by glibc. */
const KEPT_FOR_LATER_MB = 320;

export const RESIDENT_MB_MAX = BUDGETS_MB + KEPT_FOR_LATER_MB;

function residentMb(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}

export async function startFuzzServer(corpus: Corpus): Promise<FuzzServer> {
  const run = await serveCli(SETTINGS);
  for (const { id, bytes } of corpus.served) {
    const headers = { Authorization: `Bearer ${WRITE_TOKEN}`, 'Content-Type': 'application/octet-stream' };
    const put = await fetch(`${run.url}/images/${id}`, { method: 'PUT', body: bytes, headers });
    if (!put.ok) throw new Error(`the server did not take ${id}: ${put.status}`);
  }
  return {
    run,
    url: run.url,
    port: Number(new URL(run.url).port),
    pid: run.pid,
    residentMb: () => residentMb(run.pid),
  };
}
