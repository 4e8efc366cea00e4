/** What an image can do to the thread that decodes it: everybody else goes on, the thread is replaced. */
import { deflateSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePng } from '../../bench/make-png.ts';
import { blackPng, pngChunk } from '../fixtures/images.ts';
import type { Stage } from './suite/fault.ts';
import { startFaultServer, type Answer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';

const PRELOAD = fileURLToPath(new URL('../fixtures/faulty-jobs.cjs', import.meta.url));
const WORKER_TIMEOUT_MS = 2000;
const QUEUE = 4;
const IMAGE_BYTES = 1500;
const TIMES = 4;

let server: FaultServer;

async function start(settings: Readonly<Record<string, string>>): Promise<void> {
  server = await startFaultServer({ NODE_OPTIONS: `--require ${PRELOAD}`, MAX_IMAGE_MB: '8', ...settings });
}

let made = 0;

/** A PNG, with a word for the thread that gets it. */
function marked(verb: string): Buffer {
  made += 1;
  return Buffer.concat([makePng(IMAGE_BYTES, made), Buffer.from(`fault:${verb}`)]);
}

async function put(id: string, body: Uint8Array, type = 'image/png'): Promise<Answer> {
  return server.ask(`/images/${id}`, { method: 'PUT', body, headers: { 'Content-Type': type } });
}

const codeOf = (answer: Answer): string => (JSON.parse(answer.body.toString()) as { code: string }).code;

/** One after the other: each is refused so, and leaves nothing. */
async function refused(bodies: readonly Buffer[], status: number, code: string): Promise<void> {
  for (const body of bodies) {
    const answer = await put('poison', body);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect((await server.ask('/images/poison')).status).toBe(404);
  }
}

/** Ready all the while: a thread that is replaced is no reason to send requests elsewhere. */
async function isReady({ server: asked }: Stage): Promise<void> {
  expect([await asked.ready(), await asked.down()]).toEqual([true, []]);
}

/** A PNG whose header promises what its pixels, of another image, do not hold. */
function claiming(width: number, height: number): Buffer {
  const image = Buffer.from(blackPng(8, 8));
  const header = Buffer.from(image.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([image.subarray(0, 8), pngChunk('IHDR', header), image.subarray(33)]);
}

/** Before the pixels of a small image. */
function withChunk(chunk: Buffer): Buffer {
  const image = Buffer.from(blackPng(8, 8));
  return Buffer.concat([image.subarray(0, 33), chunk, image.subarray(33)]);
}

const packed = (): Buffer => deflateSync(Buffer.alloc(64 * 1024 * 1024, 'a'));
const withTextBomb = (): Buffer =>
  withChunk(pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), packed()])));
const withProfileBomb = (): Buffer =>
  withChunk(pngChunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), packed()])));

const several = (verb: string): Buffer[] => Array.from({ length: TIMES }, () => marked(verb));

describe('Workers that die', () => {
  beforeAll(async () => start({}));
  afterAll(async () => server.close());

  it.each([
    ['throw', 'throw', 'the job throws'],
    ['throw late', 'throw-later', 'an error that nobody caught, outside the job'],
    ['exit', 'exit', 'process.exit in the thread'],
    ['heap exhausted', 'heap', 'the thread allocates until it dies'],
  ])('%s: the image is refused, and nobody else notices', async (name, verb, how) => {
    const before = (await server.stats()).workers.crashes;
    await proveFault(server, {
      name: `Worker: ${name}`,
      how: `${how}, ${TIMES} times`,
      inject: async () => refused(several(verb), 503, 'worker_crashed'),
      told: isReady,
      async after() {
        expect((await server.stats()).workers.crashes - before).toBe(TIMES);
      },
    });
  });

  it('poisoned images: what would unpack to too much is refused by its header or its pieces', async () => {
    await proveFault(server, {
      name: 'Worker: poisoned images',
      how: 'decompression bombs, sizes that lie, a text of 64 MB in 64 KB',
      async inject() {
        await refused([Buffer.from(blackPng(10_000, 6000))], 422, 'image_too_many_pixels');
        await refused([claiming(60_000, 60_000)], 422, 'image_too_many_pixels');
        await refused([claiming(7000, 7000)], 422, 'image_unreadable');
        // Whether a decoder minds these is its own affair; that it stays within bounds is ours.
        for (const bomb of [blackPng(7000, 7000), withTextBomb(), withProfileBomb()]) {
          expect([201, 422]).toContain((await put(`bomb-${bomb.length}`, bomb)).status);
        }
      },
      told: isReady,
    });
  });

  it('a JSON body that would unpack to more than a thread may hold: refused before it is parsed', async () => {
    const objects = Buffer.from(`{"meta":{"a":[${'{},'.repeat(3_500_000)}0]}}`);
    await proveFault(server, {
      name: 'Worker: JSON bomb',
      how: '10 MB of JSON, millions of objects, 3 times',
      async inject() {
        for (let time = 0; time < 3; time += 1) {
          const answer = await put('json', objects, 'application/json');
          expect([answer.status, codeOf(answer)]).toEqual([400, 'json_invalid']);
        }
      },
      told: isReady,
    });
  });
});

describe('Workers that stand still', () => {
  beforeAll(async () => start({ WORKER_TIMEOUT_MS: String(WORKER_TIMEOUT_MS), WORKER_QUEUE: String(QUEUE) }));
  afterAll(async () => server.close());

  it('hang: the thread is replaced at its deadline, and whoever waited for it is served', async () => {
    const before = (await server.stats()).workers.timeouts;
    await proveFault(server, {
      name: 'Worker: hung',
      how: `both threads stand still until their deadline of ${WORKER_TIMEOUT_MS} ms`,
      async inject() {
        await Promise.all([
          refused([marked('hang')], 503, 'worker_timeout'),
          put('poison-2', marked('hang')),
        ]);
      },
      told: isReady,
      async after() {
        expect((await server.stats()).workers.timeouts - before).toBe(2);
      },
    });
  });

  it('hang in a rendering: the image itself is served on', async () => {
    await proveFault(server, {
      name: 'Worker: hung in a rendering',
      how: 'renderings of one image stand still until their deadline',
      async inject() {
        const image = marked('render-hang');
        expect((await put('stubborn', image)).status).toBe(201);
        const rendering = server.ask('/images/stubborn?w=64');
        expect((await server.ask('/images/stubborn')).body.equals(image)).toBe(true);
        const answer = await rendering;
        expect([answer.status, codeOf(answer)]).toEqual([503, 'worker_timeout']);
      },
      told: isReady,
    });
  });

  it('queue full: the next is refused at once and counted, hits go on', async () => {
    const crowd = QUEUE * 8;
    await proveFault(server, {
      name: 'Worker: queue full',
      how: `both threads stand still, ${crowd} uploads at once with room for ${QUEUE} to wait`,
      refusals: [503],
      async inject() {
        const before = (await server.stats()).workers.shed;
        const stuck = [put('stuck-1', marked('hang')), put('stuck-2', marked('hang'))];
        const uploads = Array.from({ length: crowd }, async (_, at) =>
          put(`crowd-${at}`, makePng(IMAGE_BYTES, at)),
        );
        const answers = await Promise.all(uploads);
        const refusals = answers.filter((answer) => answer.status === 503);
        const shed = refusals.filter((answer) => codeOf(answer) === 'overloaded');
        expect(shed.length).toBeGreaterThan(crowd / 2);
        for (const answer of shed) expect(answer.header('retry-after')).toBe('1');
        // Whoever waited may overrun its deadline, where the new threads take long to start.
        expect(refusals.map(codeOf).filter((code) => !/^(overloaded|worker_timeout)$/.test(code))).toEqual(
          [],
        );
        expect((await server.stats()).workers.shed - before).toBeGreaterThanOrEqual(shed.length);
        await Promise.all(stuck);
        // What was taken in is there, what was refused left nothing.
        for (const [at, answer] of answers.entries()) {
          const there = await server.ask(`/images/crowd-${at}`);
          expect(there.status).toBe(answer.status === 201 ? 200 : 404);
        }
      },
      told: isReady,
    });
  });
});
