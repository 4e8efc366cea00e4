/**
 * What users do all the time while something fails: images are handed over, replaced, asked for hot and
 * cold, asked for again with their ETag, and followed over SSE. It knows what each may hold and notes
 * every answer that was wrong; it does not know the fault.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePng, noise } from '../../../bench/make-png.ts';
import { createAsker, type Asker, type Tally } from './asker.ts';
import type { FaultServer } from './fault-server.ts';
import { startFollower } from './follower.ts';
import { createOriginReads, type OriginBlobs } from './origin-reads.ts';

export interface LoadOptions {
  /** Images that are there already, behind the server. */
  readonly origin?: OriginBlobs;
}

export interface Load {
  tally(): Tally;
  /** Resolves after so many more requests, whatever became of them. */
  more(requests: number): Promise<void>;
  /** Resolves when so many requests in a row were answered as on a good day. */
  clean(requests: number): Promise<void>;
  /** Ends the loops; resolves when no request is under way and the stream is closed. */
  stop(): Promise<void>;
  /** Every image that was accepted, asked for once more: notes what is gone or other. */
  verify(): Promise<void>;
  /** How often its stream broke and was opened again by its cursor. */
  reconnects(): number;
  /** While it is so, whatever was handed over may vanish: somebody empties the store. Never other bytes. */
  mayVanish(isSo: boolean): void;
}

const HOT = ['hot-1', 'hot-2', 'hot-3'];
const TOPIC = 'load';
/** Between two requests of a loop: the fault is under test, not the machine. */
const PACE_MS = 2;
const EVENTS_WAIT_MS = 10_000;
const IMAGE_BYTES = 1500;
/** Seeds of one load's images: new ones, versions of the one that changes, hot ones. */
const SEEDS = { each: 1_000_000, changing: 500_000, hot: 900_000 };

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function put(asker: Asker, id: string, body: Uint8Array): Promise<boolean> {
  const headers = { 'Content-Type': 'image/png' };
  const answer = await asker.ask(`/images/${id}?topic=${TOPIC}`, [200, 201], {
    method: 'PUT',
    body,
    headers,
  });
  return answer !== undefined;
}

/** Images that are written once: all of an accepted one is known. */
function createKept(asker: Asker, seed: number) {
  const accepted = new Map<string, string>();
  /** Of the accepted ones: may be gone. */
  const loose = new Set<string>();
  let vanishes = false;
  /** Of mayVanish: a hand-over during which it was said may have been before or after. */
  let turned = 0;
  const random = noise(65_536, seed);
  let turns = 0;
  let made = 0;

  function pick(count: number): number {
    turns += 1;
    return (random[turns % random.length] ?? 0) % count;
  }
  async function add(id: string, imageSeed: number): Promise<void> {
    const bytes = makePng(IMAGE_BYTES, imageSeed);
    const began = turned;
    if (!(await put(asker, id, bytes))) return;
    accepted.set(id, sha(bytes));
    if (vanishes || began !== turned) loose.add(id);
    else loose.delete(id);
  }
  async function get(id: string): Promise<'gone' | undefined> {
    const gone = (): readonly number[] => (loose.has(id) ? [404] : []);
    const answer = await asker.ask(`/images/${id}`, () => [200, ...gone()]);
    if (answer === undefined) return undefined;
    if (answer.status === 404) return 'gone';
    if (sha(answer.body) !== accepted.get(id)) asker.wrong(`GET ${id}: other bytes than were accepted`);
    if (pick(3) > 0) return undefined;
    const headers = { 'If-None-Match': answer.header('etag') };
    const again = await asker.ask(`/images/${id}`, () => [200, 304, ...gone()], { headers });
    if (again?.status === 304 && again.body.length > 0) asker.wrong(`GET ${id}: 304 with a body`);
    return undefined;
  }
  const addHot = async (index: number): Promise<void> =>
    add(HOT[index] ?? '', seed * SEEDS.each + SEEDS.hot + index);
  return {
    accepted,
    mayVanish(isSo: boolean) {
      vanishes = isSo;
      turned += 1;
      for (const id of accepted.keys()) loose.add(id);
    },
    async fill() {
      for (const index of HOT.keys()) await addHot(index);
      if (accepted.size < HOT.length) throw new Error('the load can not begin: images are refused');
    },
    async putNew() {
      made += 1;
      await add(`new-${seed}-${made}`, seed * SEEDS.each + made);
    },
    async getHot() {
      const index = pick(HOT.length);
      if ((await get(HOT[index] ?? '')) === 'gone') await addHot(index);
    },
    // Any of the last 256: older ones are read by verify().
    async getSome() {
      await get([...accepted.keys()].slice(-256)[pick(Math.min(256, accepted.size))] ?? '');
    },
    async verify(server: FaultServer) {
      for (const [id, hash] of accepted) {
        const answer = await server.ask(`/images/${id}`);
        if (answer.status === 404 && loose.has(id)) continue;
        if (answer.status !== 200) asker.wrong(`${id} was accepted and is answered ${answer.status}`);
        else if (sha(answer.body) !== hash) asker.wrong(`${id} has other bytes than were accepted`);
      }
    },
  };
}

/** One image that is replaced all the time: an answer may never be older than what was accepted before. */
function createChanging(asker: Asker, seed: number) {
  const id = `changing-${seed}`;
  const sent: string[] = [];
  let sureFrom = -1;
  /** Versions before this one may be gone. */
  let looseBefore = 0;
  return {
    mayVanish(isSo: boolean) {
      looseBefore = isSo ? Number.POSITIVE_INFINITY : sent.length;
    },
    async put() {
      const bytes = makePng(IMAGE_BYTES, seed * SEEDS.each + SEEDS.changing + sent.length);
      const at = sent.push(sha(bytes)) - 1;
      if (await put(asker, id, bytes)) sureFrom = at;
    },
    async get() {
      const from = sureFrom;
      const answer = await asker.ask(`/images/${id}`, () => (from < looseBefore ? [200, 404] : [200]));
      if (answer === undefined || answer.status === 404) return;
      const at = sent.indexOf(sha(answer.body));
      if (at === -1) asker.wrong(`GET ${id}: bytes that were never sent`);
      else if (at < from) asker.wrong(`GET ${id}: version ${at} after ${from} had been accepted`);
    },
  };
}

const NO_BLOBS: OriginBlobs = { held: [], cold: [], isGone: () => false };

export async function startLoad(server: FaultServer, seed: number, options: LoadOptions = {}): Promise<Load> {
  const asker = createAsker(server);
  const { origin: blobs = NO_BLOBS } = options;
  const origin = createOriginReads(asker, blobs);
  const kept = createKept(asker, seed);
  const changing = createChanging(asker, seed);
  const follower = startFollower(server.port, TOPIC);
  await follower.connected;
  try {
    await kept.fill();
    await changing.put();
    await origin.fill();
  } catch (error) {
    await follower.stop();
    throw error;
  }
  let isStopping = false;
  const loop = async (step: () => Promise<void>): Promise<void> => {
    for (; !isStopping; await sleep(PACE_MS)) await step();
  };
  const steps = [kept.getHot, kept.getSome, kept.getSome, kept.putNew, changing.put, changing.get];
  if (blobs.held.length > 0) steps.push(origin.getHeld);
  if (blobs.cold.length > 0) steps.push(origin.getCold);
  const loops = steps.map(loop);

  /** What was accepted is told to whoever follows, or the stream says that it has a gap. */
  async function assertTold(): Promise<void> {
    const lastMs = Date.now() + EVENTS_WAIT_MS;
    const untold = (): string[] => [...kept.accepted.keys()].filter((id) => !follower.heard.has(id));
    while (untold().length > 0 && follower.gaps() === 0 && Date.now() < lastMs) await sleep(20);
    const missing = follower.gaps() > 0 ? [] : untold();
    if (missing.length > 0) asker.wrong(`never told: ${missing.length}, as ${missing.slice(0, 3).join()}`);
  }

  return {
    tally: asker.tally,
    more: asker.more,
    clean: asker.clean,
    reconnects: follower.reconnects,
    mayVanish(isSo) {
      kept.mayVanish(isSo);
      changing.mayVanish(isSo);
    },
    async stop() {
      isStopping = true;
      await Promise.all(loops);
      await assertTold();
      await follower.stop();
    },
    async verify() {
      await kept.verify(server);
      await origin.verify();
    },
  };
}
