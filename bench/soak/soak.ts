/** One soak from beginning to end: a server, a load, faults, a look each second, and what is left when all is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createAsker } from './ask.ts';
import type { Bodies } from './bodies.ts';
import { openCage, type Cage } from './cage.ts';
import { ceilingOf, type Ceiling, type CeilingSettings } from './ceiling.ts';
import { createDraw } from './draw.ts';
import { startFaults, type Faults, type FaultTargets } from './faults.ts';
import { startFollowers } from './followers.ts';
import { createLedger } from './ledger.ts';
import { startLoad } from './load.ts';
import { OTHERS, startApplication } from './other-requests.ts';
import { READS } from './read-images.ts';
import { startSoakRedis } from './redis.ts';
import { startSampler, type Sample, type Sampler } from './sampler.ts';
import { startSoakServer, type SoakServer } from './server.ts';
import { slopeOf } from './slope.ts';
import { squeezeActions, startSqueeze, type SqueezeSizes } from './squeeze.ts';
import type { Stage } from './stage.ts';
import { createTally } from './tally.ts';
import { fill, WRITES } from './write-images.ts';

export interface Plan {
  readonly name: string;
  readonly minutes: number;
  readonly seed: number;
  readonly perSecond: number;
  readonly redis: boolean;
  readonly followers: number;
  readonly settings: CeilingSettings;
  readonly env: Readonly<Record<string, string>>;
  readonly faultEveryMs: number;
  /** Set: every budget is pushed at once, too. */
  readonly squeeze?: SqueezeSizes;
}

export interface Outcome {
  readonly plan: Plan;
  readonly samples: readonly Sample[];
  readonly marks: Faults['marks'];
  readonly faults: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly rows: readonly (readonly [kind: string, outcome: string, count: number])[];
  readonly wrongs: number;
  readonly words: readonly string[];
  readonly eventsHeard: number;
  readonly warmMs: number;
  readonly slope: number;
  readonly peakMib: number;
  readonly ceiling: Ceiling;
  /** The kernel held it to the ceiling; otherwise it was only measured. */
  readonly isCaged: boolean;
  readonly kills: number;
  readonly allocator: string;
  /** What was not given back. */
  readonly leaks: readonly string[];
  readonly log: string;
}

const TEN_SECONDS = 10_000;
const WARM_SHARE = 0.25;
/** Longer than a fault excuses anything. */
const SETTLE_MS = 9000;
const AT_ONCE = 64;
/** Five seconds may go to the image in an event. */
const LATE_MS = 12_000;
/** Workers are busy with the largest images then: one event after the other waits for its own in vain. */
const LATE_WHEN_SQUEEZED_MS = 60_000;
const FINALS_KEPT_MS = 120_000;
const QUIET_MS = 15_000;
const FDS_SLACK = 12;

/** Everything that was accepted, once more, when nothing fails any more. */
async function verifyAll(stage: Stage): Promise<void> {
  for (const id of stage.images.ids()) {
    const sure = stage.images.sureOf(id);
    const got = await stage.ask(`/images/${id}`);
    if (sure === 'unsure') continue;
    const found = typeof got === 'string' ? got : got.status === 200 ? got.digest : undefined;
    stage.tally.count('asked for at the end', typeof got === 'string' ? got : got.status);
    // What was taken in while its tier was broken may have gone with it.
    if (found !== sure && !(found === undefined && stage.isExcused(0))) {
      stage.tally.wrong(
        `at the end ${id} is ${String(found).slice(0, 12)}, not ${String(sure).slice(0, 12)}`,
      );
    }
  }
}

async function whatIsHeld(before: Sample, look: () => Promise<Sample | undefined>): Promise<string[]> {
  const untilMs = performance.now() + QUIET_MS;
  let leaks: string[] = ['nobody answered'];
  while (performance.now() < untilMs && leaks.length > 0) {
    await sleep(500);
    const now = await look();
    if (now === undefined) continue;
    const held = [
      'uploads_in_flight_bytes',
      'downloads_held_bytes',
      'worker_jobs_running',
      'worker_jobs_queued',
      'subscribers',
      'event_waiting_bytes',
    ];
    leaks = held
      .filter((name) => (now.counters[name] ?? 0) > 0)
      .map((name) => `${name} ${now.counters[name]}`);
    if (now.fds > before.fds + FDS_SLACK) leaks.push(`file handles ${now.fds}, at the start ${before.fds}`);
  }
  return leaks;
}

interface Parts {
  readonly stage: Stage;
  readonly sampler: Sampler;
  readonly server: SoakServer;
  readonly cage: Cage | undefined;
  readonly ceiling: Ceiling;
  readonly startedMs: number;
  readonly strikeFrom: (faults: Faults) => void;
  readonly targets: FaultTargets;
  close(): Promise<void>;
}

function describeSample(
  plan: Plan,
  sample: Sample,
  { stage, ceiling, startedMs }: Parts,
  struck: number,
): string {
  const { counters } = sample;
  const seconds = String(Math.round((sample.atMs - startedMs) / 1000)).padStart(5);
  return (
    `[${plan.name}] ${seconds} s  ${stage.tally.requests} requests, ${stage.tally.wrongs} wrong; ` +
    `resident ${sample.rssMib.toFixed(0)} MiB of ${ceiling.mib}, heap ${sample.heapMib.toFixed(0)}, files ${sample.fds}, ` +
    `streams ${counters['subscribers']} (${counters['subscribers_blocked']} blocked), renders ${counters['renders_total']}, ` +
    `faults ${struck}`
  );
}

async function openParts(
  plan: Plan,
  dir: string,
  bodies: Bodies,
  say: (line: string) => void,
): Promise<Parts> {
  const redis = plan.redis ? await startSoakRedis() : undefined;
  const application = await startApplication(plan.seed);
  const ceiling = ceilingOf(plan.settings, plan.followers + (plan.squeeze?.crowd ?? 0));
  const cage = openCage(ceiling.mib);
  const more = {
    ...plan.env,
    API_UPSTREAM: `http://127.0.0.1:${application.port}`,
    API_ROUTES: '/api/areas/*=5',
    ...(redis === undefined
      ? {}
      : { REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) }),
  };
  const server = await startSoakServer({ dir, settings: plan.settings, more, cage });
  const asker = createAsker(server.port);
  let faults: Faults | undefined;
  let lastSaidMs = 0;
  const stage: Stage = {
    ask: asker.ask,
    port: server.port,
    draw: createDraw(plan.seed),
    bodies,
    images: createLedger(() => performance.now()),
    values: createLedger(() => performance.now()),
    tally: createTally(),
    isExcused: (askedMs) => faults?.isExcused(askedMs) ?? false,
    mayVanish: (askedMs) => faults?.mayVanish(askedMs) ?? false,
    finals: [],
    lateMs: plan.squeeze === undefined ? LATE_MS : LATE_WHEN_SQUEEZED_MS,
  };
  const sampler = startSampler(server.pid, server.base, (sample) => {
    if (sample.atMs - lastSaidMs < TEN_SECONDS) return;
    lastSaidMs = sample.atMs;
    say(describeSample(plan, sample, parts, faults?.marks.length ?? 0));
  });
  const parts: Parts = {
    stage,
    sampler,
    server,
    cage,
    ceiling,
    startedMs: performance.now(),
    strikeFrom: (from) => (faults = from),
    targets: { redis, cacheDir: server.cacheDir },
    async close() {
      await faults?.stop();
      asker.close();
      await sampler.stop();
      await server.stop();
      cage?.close();
      application.close();
      await redis?.stop();
    },
  };
  return parts;
}

/** Everything at once for as long as planned; resolves when nothing is under way any more. */
async function runLoad(plan: Plan, { stage, strikeFrom, targets }: Parts) {
  const { squeeze } = plan;
  await fill(stage);
  const begunMs = performance.now();
  const endMs = begunMs + plan.minutes * 60_000;
  const squeezing = squeeze === undefined ? undefined : await startSqueeze(stage, squeeze);
  const weighted = [
    ...READS,
    ...WRITES,
    ...OTHERS,
    ...(squeeze === undefined ? [] : squeezeActions(squeeze)),
  ];
  const load = startLoad(stage, weighted, plan.perSecond, AT_ONCE);
  const followers = startFollowers(stage, plan.followers, createDraw(plan.seed + 1));
  const faults = startFaults(stage, targets, createDraw(plan.seed + 2), plan.faultEveryMs);
  strikeFrom(faults);
  while (performance.now() < endMs) {
    await sleep(1000);
    // Readers look back over their own time only.
    const oldMs = performance.now() - FINALS_KEPT_MS;
    while ((stage.finals[0]?.doneMs ?? Infinity) < oldMs) stage.finals.shift();
  }
  await faults.stop();
  await Promise.all([load.stop(), followers.stop(), squeezing?.stop()]);
  if (faults.isExcused(performance.now())) await sleep(SETTLE_MS);
  return { faults, eventsHeard: followers.heard, begunMs, endMs };
}

export async function soak(
  plan: Plan,
  dir: string,
  bodies: Bodies,
  say: (line: string) => void,
): Promise<Outcome> {
  const parts = await openParts(plan, dir, bodies, say);
  const { stage, sampler, server, cage, ceiling } = parts;
  const { tally } = stage;
  try {
    const before = await sampler.look();
    const { faults, eventsHeard, begunMs, endMs } = await runLoad(plan, parts);
    const warmMs = begunMs + plan.minutes * 60_000 * WARM_SHARE;
    await verifyAll(stage);
    const leaks =
      before === undefined ? ['it could not be looked at'] : await whatIsHeld(before, sampler.look);
    return {
      plan,
      samples: sampler.samples,
      marks: faults.marks,
      faults: Object.fromEntries(faults.counts),
      requests: tally.requests,
      rows: tally.rows(),
      wrongs: tally.wrongs,
      words: tally.words,
      eventsHeard,
      warmMs,
      slope: slopeOf(sampler.samples.filter(({ atMs }) => atMs >= warmMs && atMs <= endMs)),
      peakMib: sampler.peakMib(),
      ceiling,
      isCaged: cage !== undefined,
      kills: cage?.kills() ?? 0,
      allocator: server.allocator,
      leaks,
      log: server.output(),
    };
  } finally {
    await parts.close();
  }
}
