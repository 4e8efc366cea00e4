/**
 * Every call to the world fails once: the first, the second, and so on until there are none left. The
 * same script runs each time; its answers are right or 5xx with a code, nothing accepted is lost, and the
 * script runs again without a fault in the same server, which shows that nothing is held.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { openRawStream } from '../fixtures/raw-stream.ts';
import { eventually } from '../fixtures/eventually.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';
import { keepRow } from './suite/fault-table.ts';
import { arm, disarm } from './suite/nth-call.ts';
import { createSeen, read, write, type Seen } from './suite/script.ts';

vi.mock('node:fs/promises', async (importOriginal) => {
  const { edge, withEdges } = await import('./suite/nth-call.ts');
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const HANDLE = ['read', 'readv', 'write', 'writev', 'stat', 'close'];
  const open: typeof real.open = async (...args) => withEdges('file', await real.open(...args), HANDLE);
  return {
    ...real,
    open: edge('open', open),
    mkdir: edge('mkdir', real.mkdir),
    readdir: edge('readdir', real.readdir),
    rename: edge('rename', real.rename),
    statfs: edge('statfs', real.statfs),
    unlink: edge('unlink', real.unlink),
    utimes: edge('utimes', real.utimes),
  };
});

/** One real pool for all servers: starting threads for each would take most of the time. */
vi.mock('piscina', async (importOriginal) => {
  const { edge } = await import('./suite/nth-call.ts');
  const { Piscina } = await importOriginal<typeof import('piscina')>();
  type Pool = InstanceType<typeof Piscina>;
  let shared: Pool | undefined;
  return {
    Piscina: class {
      readonly pool: Pool;
      constructor(options: ConstructorParameters<typeof Piscina>[0]) {
        this.pool = shared ??= new Piscina(options);
      }
      on(): void {}
      run = edge('worker', async (...args: Parameters<Pool['run']>) => this.pool.run(...args));
      async destroy(): Promise<void> {}
    },
  };
});

const SETTINGS = { WARM_FROM_DISK: 'false', STOP_GRACE_S: '0', WORKER_THREADS: '1' };
const N_MAX = 1000;

/** Each image that was accepted is heard of, by whoever follows. */
async function writeFollowed(app: RunningApp, name: string, seen: Seen): Promise<void> {
  const stream = await openRawStream(app.port, `/events?topic=${name}`);
  await write(app, name, seen);
  const heard = (): Set<string> =>
    new Set(
      stream.events().flatMap(({ event, data }) => (event === 'image.ready' ? [JSON.parse(data).id] : [])),
    );
  const untold = (): string[] =>
    [...seen.truth.keys()].filter((id) => seen.truth.get(id) !== undefined && !heard().has(id));
  await eventually(() => untold().length === 0, `${untold().join()} is told`);
  stream.destroy();
}

async function atRest(app: RunningApp): Promise<void> {
  const holds = async (): Promise<number> => {
    const { workers, events, ...stats } = await (await app.get('/admin/stats')).json();
    const atWork = workers.running + workers.queued + events.subscribers;
    return atWork + stats.lookups_under_way + stats.uploads_in_flight_bytes;
  };
  await eventually(async () => (await holds()) === 0, 'nothing is held');
}

/** '' for `failed`: there were fewer calls. */
async function failNth(n: number, cacheDir: string): Promise<Seen & { readonly failed: string }> {
  const seen = createSeen();
  const again = createSeen();
  arm(n);
  const first = await runApp(SETTINGS, { cacheDir });
  await writeFollowed(first, 'x', seen);
  await first.close();
  const second = await runApp(SETTINGS, { cacheDir });
  await read(second, 'x', seen);
  const { failed } = disarm();
  try {
    await read(second, 'x', { ...seen, refused: again.refused });
    await writeFollowed(second, 'y', again);
    await read(second, 'y', again);
    await atRest(second);
    expect([seen.wrong, again.wrong], `call ${n} failed: ${failed}`).toEqual([[], []]);
    expect(again.refused, `afterwards; call ${n} failed: ${failed}`).toEqual([]);
  } finally {
    await second.close();
  }
  return { ...seen, failed, requests: seen.requests + again.requests };
}

it('files and workers: whichever call fails, every answer is right or a refusal, and nothing is held', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'afterimage-nth-'));
  const kinds = new Map<string, number>();
  let refused = 0;
  let requests = 0;
  let n = 1;
  for (; n < N_MAX; n += 1) {
    const result = await failNth(n, join(parent, String(n)));
    if (result.failed === '') break;
    kinds.set(result.failed, (kinds.get(result.failed) ?? 0) + 1);
    refused += result.refused.length;
    requests += result.requests;
  }
  await rm(parent, { recursive: true, force: true });
  expect([...kinds.keys()]).toEqual(
    expect.arrayContaining(['worker', 'open', 'rename', 'readdir', 'file.writev']),
  );
  keepRow({
    fault: `Nth internal call fails: N = 1…${n - 1}`,
    how: `${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')}; a restart in the middle`,
    requests,
    refused: `${refused} × 503`,
    recoveredMs: 0,
  });
}, 120_000);
