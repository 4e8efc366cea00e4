import { once, setMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { Variant } from '../../../src/core/variant.ts';
import type { ImagePool } from '../../../src/pool/image-pool.ts';
import { createImagePool, type ImagePoolOptions } from '../../../src/pool/pool.ts';

const VARIANT: Variant = { width: 1, height: 1, fit: 'fill', format: 'png', quality: 0, animated: false };
const never = new AbortController().signal;
setMaxListeners(0, never);
const pools: ImagePool[] = [];

function start(options: Partial<ImagePoolOptions> = {}): ImagePool {
  const pool = createImagePool({
    threads: 2,
    queueLimit: 4,
    timeoutMs: 20_000,
    nice: 5,
    limits: { imageBytes: 1 << 20, pixels: 1_000_000 },
    webpEffort: 0,
    sizes: [64],
    workerUrl: new URL('../../fixtures/faulty-worker.js', import.meta.url),
    ...options,
  });
  pools.push(pool);
  return pool;
}

function ingest(pool: ImagePool, command: string, signal = never) {
  return pool.ingest(new TextEncoder().encode(command), 'raw', signal);
}

function render(pool: ImagePool, command: string, signal = never) {
  return pool.render(new TextEncoder().encode(command), VARIANT, signal);
}

/** Jobs told `hold:<name>` announce themselves on this channel and wait there. */
function holdOn(name: string) {
  const channel = new BroadcastChannel(name);
  const announced = new EventTarget();
  let count = 0;
  channel.addEventListener('message', () => {
    count += 1;
    announced.dispatchEvent(new Event(String(count)));
  });
  return {
    job: `hold:${name}`,
    async started(expected: number): Promise<void> {
      if (count < expected) await once(announced, String(expected));
    },
    release: () => channel.postMessage('go'),
    close: () => channel.close(),
  };
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

describe('a pool whose jobs go wrong', () => {
  it('ends a job that overruns its deadline, replaces its thread, and fails nobody else', async () => {
    const pool = start({ timeoutMs: 1500 });
    await Promise.all([ingest(pool, 'echo'), ingest(pool, 'echo')]);
    const hung = ingest(pool, 'hang');
    const others = Promise.all(Array.from({ length: 4 }, () => ingest(pool, 'echo')));
    await expect(others).resolves.toHaveLength(4);
    await expect(hung).rejects.toMatchObject({ code: 'worker_timeout' });
    await expect(Promise.all([ingest(pool, 'echo'), ingest(pool, 'echo')])).resolves.toHaveLength(2);
    expect(pool.stats()).toMatchObject({ timeouts: 1, crashes: 0, running: 0, queued: 0 });
  });

  it.each(['exit', 'throw-later', 'heap'])('outlives a thread that dies by %s', async (death) => {
    const pool = start({ heapMb: 32 });
    const dying = ingest(pool, death);
    const others = Promise.all([ingest(pool, 'echo'), ingest(pool, 'echo')]);
    await expect(dying).rejects.toMatchObject({ code: 'worker_crashed' });
    await expect(others).resolves.toHaveLength(2);
    await expect(Promise.all([ingest(pool, 'echo'), ingest(pool, 'echo')])).resolves.toHaveLength(2);
    expect(pool.stats()).toMatchObject({ crashes: 1, timeouts: 0, running: 0 });
  });

  it('survives one death after the other', async () => {
    const pool = start();
    for (let death = 0; death < 6; death += 1) {
      await expect(ingest(pool, 'exit')).rejects.toMatchObject({ code: 'worker_crashed' });
    }
    await expect(Promise.all([ingest(pool, 'echo'), ingest(pool, 'echo')])).resolves.toHaveLength(2);
  });

  it('starts threads again after some could not start', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'afterimage-pool-'));
    const flag = join(folder, 'flag');
    process.env['FAILS_TO_START'] = flag;
    const workerUrl = new URL('../../fixtures/failing-start-worker.cjs', import.meta.url);
    const pool = start({ threads: 2, workerUrl });
    await ingest(pool, 'echo');
    await writeFile(flag, '');
    await expect(ingest(pool, 'exit')).rejects.toMatchObject({ code: 'worker_crashed' });
    await expect.poll(() => pool.stats().crashes, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    await rm(folder, { recursive: true });
    await Promise.all(['echo', 'echo', 'echo'].map(async (job) => ingest(pool, job)));
    await expect(ingest(pool, 'exit')).rejects.toMatchObject({ code: 'worker_crashed' });
    await ingest(pool, 'echo');
  });

  it('turns what a worker refuses into its error, the reason kept out of the detail', async () => {
    const pool = start();
    await expect(ingest(pool, 'refuse')).rejects.toMatchObject({
      code: 'not_an_image',
      detail: 'No.',
      cause: 'why',
    });
    expect(pool.stats()).toMatchObject({ refused: 1, crashes: 0, completed: 0 });
  });

  it('turns away who finds the line full, at once', async () => {
    const pool = start({ threads: 1, queueLimit: 2 });
    const hold = holdOn('full-line');
    const running = ingest(pool, hold.job);
    await hold.started(1);
    const waiting = [ingest(pool, 'echo'), ingest(pool, 'echo'), ingest(pool, 'echo')];
    await expect(ingest(pool, 'echo')).rejects.toMatchObject({ code: 'overloaded' });
    expect(pool.stats()).toMatchObject({ shed: 1, running: 1 });
    hold.release();
    await Promise.all([running, ...waiting]);
    hold.close();
    expect(pool.stats()).toMatchObject({ queued: 0, running: 0, completed: 4 });
  });

  it('never starts a job whose caller left while it waited', async () => {
    const pool = start({ threads: 1 });
    const hold = holdOn('left-waiting');
    const running = ingest(pool, hold.job);
    await hold.started(1);
    const caller = new AbortController();
    const left = ingest(pool, 'exit', caller.signal);
    const leftRender = render(pool, 'exit', caller.signal);
    caller.abort();
    await expect(left).rejects.toMatchObject({ code: 'request_aborted' });
    await expect(leftRender).rejects.toMatchObject({ code: 'request_aborted' });
    expect(pool.stats().queued).toBe(0);
    hold.release();
    await running;
    hold.close();
    await ingest(pool, 'echo');
    expect(pool.stats()).toMatchObject({ crashes: 0, completed: 2, renders: 0 });
  });

  it('keeps the thread of a running job whose caller left', async () => {
    const pool = start({ threads: 1 });
    const hold = holdOn('left-running');
    const caller = new AbortController();
    const left = ingest(pool, hold.job, caller.signal);
    await hold.started(1);
    caller.abort();
    await expect(left).rejects.toMatchObject({ code: 'request_aborted' });
    expect(pool.stats().running).toBe(1);
    const next = ingest(pool, 'echo');
    hold.release();
    await next;
    hold.close();
    expect(pool.stats()).toMatchObject({ crashes: 0, timeouts: 0, running: 0 });
  });

  it('leaves a thread to uploads however many renders there are', async () => {
    const pool = start({ threads: 3, queueLimit: 20 });
    const hold = holdOn('many-renders');
    const renders = Array.from({ length: 10 }, () => render(pool, hold.job));
    await hold.started(2);
    await expect(ingest(pool, 'echo')).resolves.toMatchObject({ kind: 'ingest' });
    expect(pool.stats()).toMatchObject({ renders: 2, running: 2, queued: 8 });
    for (let done = 2; done <= 10; done += 2) {
      await hold.started(done);
      hold.release();
    }
    await Promise.all(renders);
    hold.close();
    expect(pool.stats()).toMatchObject({ renders: 10, running: 0, queued: 0 });
  });

  it('lets no more than one render go before an upload where there is only one thread', async () => {
    const pool = start({ threads: 1, queueLimit: 20 });
    const hold = holdOn('one-thread');
    const renders = Array.from({ length: 3 }, () => render(pool, hold.job));
    await hold.started(1);
    const upload = ingest(pool, 'echo');
    hold.release();
    await upload;
    expect(pool.stats().completed).toBeLessThan(3);
    for (const started of [2, 3]) {
      await hold.started(started);
      hold.release();
    }
    await Promise.all(renders);
    hold.close();
  });

  it('takes uploads while the line of renders is full', async () => {
    const pool = start({ threads: 2, queueLimit: 1 });
    const hold = holdOn('full-renders');
    const running = render(pool, hold.job);
    await hold.started(1);
    const waiting = render(pool, 'echo');
    await expect(render(pool, 'echo')).rejects.toMatchObject({ code: 'overloaded' });
    await expect(ingest(pool, 'echo')).resolves.toMatchObject({ kind: 'ingest' });
    hold.release();
    await Promise.all([running, waiting]);
    hold.close();
  });

  it('lets running jobs finish when it closes, and turns away the rest', async () => {
    const pool = start({ threads: 1 });
    const hold = holdOn('closing');
    const running = ingest(pool, hold.job);
    await hold.started(1);
    const waiting = ingest(pool, 'echo');
    const closed = pool.close();
    await expect(waiting).rejects.toMatchObject({ code: 'shutting_down' });
    await expect(ingest(pool, 'echo')).rejects.toMatchObject({ code: 'shutting_down' });
    hold.release();
    await expect(running).resolves.toMatchObject({ kind: 'ingest' });
    await closed;
    hold.close();
  });

  it('ends what still runs when its patience ends', async () => {
    const pool = start({ threads: 1, timeoutMs: 1000 });
    await ingest(pool, 'echo');
    const hung = ingest(pool, 'hang');
    const ended = expect(hung).rejects.toThrow(/shutting_down|worker_timeout/);
    await pool.close();
    await ended;
  });
});
