/** A run: inputs of every surface by the hundred thousand, from one seed, until one is not borne or all are. */
import { startBystander } from './bystander.ts';
import { makeCorpus, type Corpus } from './corpus.ts';
import { startFuzzServer, type FuzzServer } from './fuzz-server.ts';
import type { Input, Surface } from './input.ts';
import { createRandom } from './random.ts';
import { SURFACES } from './surfaces/all.ts';
import { openLane } from './try-input.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Index of the first one: with `inputs: 1`, just that. */
  readonly from: number;
  /** Name of a surface; undefined: all of them, by their shares. */
  readonly only: string | undefined;
  /** Most that the server's process may hold. */
  readonly residentMbMax: number;
  /** Connections at a time. */
  readonly lanes: number;
  readonly onProgress?: (progress: FuzzProgress) => void;
}

export interface FuzzProgress {
  readonly done: number;
  readonly seconds: number;
  readonly residentMb: number;
  readonly residentMbMost: number;
  readonly bystanderWorstMs: number;
  readonly bystanderUsualMs: number;
}

export interface FuzzFailure {
  readonly index: number;
  readonly surface: string;
  readonly wrong: string;
  readonly input: Input;
  /** Inputs that were under way at the same time. */
  readonly beside: readonly number[];
}

export interface FuzzReport extends FuzzProgress {
  readonly failure: FuzzFailure | undefined;
  /** How often each surface came to what. */
  readonly came: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

const PROGRESS_MS = 1000;

function chooseSurface(share: number, only: string | undefined): Surface {
  const named = SURFACES.find(({ name }) => name === only);
  if (named !== undefined) return named;
  let left = share;
  for (const surface of SURFACES) {
    left -= surface.share;
    if (left < 0) return surface;
  }
  return SURFACES[0];
}

export function makeInput(
  { seed, only }: Pick<FuzzOptions, 'seed' | 'only'>,
  corpus: Corpus,
  index: number,
): { readonly surface: string; readonly input: Input } {
  const random = createRandom(seed, index);
  const all = SURFACES.reduce((sum, { share }) => sum + share, 0);
  const surface = chooseSurface(random.int(0, all - 1), only);
  return { surface: surface.name, input: surface.make(random, corpus, index) };
}

/** Ends when all inputs are done, one fails, or the server does. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const corpus = await makeCorpus();
  const server = await startFuzzServer(corpus);
  try {
    return await runAgainst(server, corpus, options);
  } finally {
    await server.run.close();
  }
}

async function runAgainst(server: FuzzServer, corpus: Corpus, options: FuzzOptions): Promise<FuzzReport> {
  const { inputs, from, lanes, onProgress } = options;
  const startedMs = performance.now();
  const [hot] = corpus.served;
  const bystander = startBystander(`${server.url}/images/${hot.id}`, hot.bytes);
  const came = new Map<string, Map<string, number>>();
  const underWay = new Set<number>();
  let failure: FuzzFailure | undefined;
  let residentMbMost = 0;
  let next = from;
  let done = 0;

  const count = (surface: string, what: string): void => {
    const counts = came.get(surface) ?? new Map<string, number>();
    counts.set(what, (counts.get(what) ?? 0) + 1);
    came.set(surface, counts);
  };
  const progress = (): FuzzProgress => ({
    done,
    seconds: (performance.now() - startedMs) / 1000,
    residentMb: server.residentMb(),
    residentMbMost,
    bystanderWorstMs: bystander.worstMs(),
    bystanderUsualMs: bystander.usualMs(),
  });
  /** What is wrong with the server as a whole. */
  const wrongWithServer = (): string => {
    const mb = server.residentMb();
    residentMbMost = Math.max(residentMbMost, Number.isNaN(mb) ? 0 : mb);
    const { residentMbMax } = options;
    if (mb > residentMbMax) return `resident memory is ${mb.toFixed(0)} MiB, over ${residentMbMax}`;
    return bystander.wrong();
  };

  async function runLane(): Promise<void> {
    const lane = openLane(server.port);
    while (failure === undefined && next < from + inputs) {
      const index = next;
      next += 1;
      underWay.add(index);
      const { surface, input } = makeInput(options, corpus, index);
      const { wrong, came: what } = await lane.tryInput(input);
      const beside = [...underWay].filter((other) => other !== index);
      underWay.delete(index);
      done += 1;
      count(surface, what);
      const found = wrong === '' && done % 100 === 0 ? wrongWithServer() : wrong;
      if (found !== '') failure ??= { index, surface, wrong: found, input, beside };
    }
    lane.close();
  }

  const timer = setInterval(() => onProgress?.(progress()), PROGRESS_MS);
  await Promise.all(Array.from({ length: lanes }, runLane));
  clearInterval(timer);
  wrongWithServer();
  await bystander.stop();
  return { ...progress(), failure: await withDeath(failure, server), came };
}

/** Where the server died, that is what is wrong, and its last words say why. */
async function withDeath(
  failure: FuzzFailure | undefined,
  server: FuzzServer,
): Promise<FuzzFailure | undefined> {
  if (failure === undefined) return undefined;
  const running = new Promise<string>((resolve) => setTimeout(resolve, 200, 'running'));
  const state = await Promise.race([server.run.ended.then((how) => `ended with ${how}`), running]);
  const said = server.run.err().slice(-2000) + server.run.out().slice(-2000);
  return { ...failure, wrong: `${failure.wrong}; the server is ${state}\n${said}` };
}
