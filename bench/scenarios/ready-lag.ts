/** From handing a 1024 px PNG over to its thumbnail being at a subscriber, at 20 images a second. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { putLoad } from '../load/put.ts';
import { makePhoto } from '../make-photo.ts';
import { startAfterimage } from '../peers/afterimage.ts';
import type { Peer } from '../peers/peer.ts';
import { REDIS_MISSING, startRedis } from '../peers/redis.ts';
import { observed } from '../processor-time.ts';
import type { Bench, Outcome, Row, Sample, Scenario, Target } from '../scenario.ts';

const PER_SECOND = 20;
const OVER_PUT = 'PUT to thumbnail';
const OVER_REDIS = 'Redis SET to thumbnail';

const TARGETS: readonly Target[] = [
  {
    figure: 'Redis SET to thumbnail, p50 ms',
    row: OVER_REDIS,
    subject: 'Afterimage',
    of: 'p50Ms',
    atMost: 20,
  },
  {
    figure: 'Redis SET to thumbnail, p99 ms',
    row: OVER_REDIS,
    subject: 'Afterimage',
    of: 'p99Ms',
    atMost: 60,
  },
];

async function measure(
  { base, pid }: Peer,
  file: string,
  redisPort: number,
  bench: Bench,
): Promise<Sample[]> {
  const load = { base, file, form: 'raw' as const, perSecond: PER_SECOND, redisPort, follows: true };
  await putLoad({ ...load, seconds: 1 }, bench.machine);
  const samples: Sample[] = [];
  for (let round = 0; round < bench.effort.rounds; round += 1) {
    bench.say(`${redisPort === 0 ? OVER_PUT : OVER_REDIS}: round ${round + 1} of ${bench.effort.rounds}`);
    const seconds = 3 * bench.effort.seconds;
    const sample = await observed([pid], async () => {
      const { events, done, p50Ms, p99Ms } = await putLoad({ ...load, seconds }, bench.machine);
      if (events === 0) throw new Error(`no event came of ${done} images`);
      return { value: p50Ms, p50Ms, p99Ms };
    });
    samples.push(sample);
  }
  return samples;
}

async function run(bench: Bench): Promise<Outcome> {
  const file = join(bench.dir, 'photo.png');
  writeFileSync(file, await makePhoto(1024, 'png'));
  const rows: Row[] = [];
  const missing: string[] = [];
  const add = (label: string, samples: readonly Sample[]): void => {
    rows.push({ label, unit: 'ms p50', better: 'less', series: [{ subject: 'Afterimage', samples }] });
  };
  // No figure asks for it: a short run does without.
  if (bench.effort.name !== 'quick') {
    const server = await startAfterimage(bench.dir, new Map(), bench.machine);
    try {
      add(OVER_PUT, await measure(server, file, 0, bench));
    } finally {
      await server.stop();
    }
  }
  const redis = await startRedis(bench.machine);
  if (redis === undefined) missing.push(REDIS_MISSING);
  else {
    const env = { REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) };
    const name = 'Afterimage on Redis';
    const withRedis = await startAfterimage(bench.dir, new Map(), bench.machine, { name, env });
    try {
      add(OVER_REDIS, await measure(withRedis, file, redis.port, bench));
    } finally {
      await withRedis.stop();
      await redis.stop();
    }
  }
  return {
    rows,
    targets: TARGETS,
    notes: [
      `${PER_SECOND} images of 1024 px a second, open loop; from sending to the event with its thumbnail, ` +
        'decoding and scaling included; the server, its workers and Redis all on one core',
    ],
    missing,
  };
}

export const readyLag: Scenario = {
  name: 'ready-lag',
  question: 'How long from handing an image over to seeing its thumbnail?',
  takesS: { quick: 9, full: 40 },
  run,
};
