/**
 * Loaded into a server with `--require`, beside `--expose-gc` and a young generation so large that
 * nothing is collected meanwhile: how many bytes its main thread allocates on the JavaScript heap, and
 * which functions do. SIGUSR2 goes on to the next step: begin to count, end and begin to sample, end.
 */
const { Session } = require('node:inspector') as typeof import('node:inspector');
const { PerformanceObserver } = require('node:perf_hooks') as typeof import('node:perf_hooks');
const v8 = require('node:v8') as typeof import('node:v8');
const { isMainThread } = require('node:worker_threads') as typeof import('node:worker_threads');

type Profile = import('node:inspector').HeapProfiler.SamplingHeapProfile;
type Node = import('node:inspector').HeapProfiler.SamplingHeapProfileNode;

/** Between two samples, on average. */
const SAMPLING_BYTES = 1024;
const SHOWN = 12;

function collect(): void {
  // Twice: what the first frees may hold more.
  for (let time = 0; time < 2; time += 1) globalThis.gc?.();
}

/** A function's line is where it begins: the profiler knows no nearer. */
function sitesOf(profile: Profile) {
  const bytes = new Map<string, number>();
  const visit = (node: Node): void => {
    const { functionName, url, lineNumber } = node.callFrame;
    const file = url.split('/').slice(-3).join('/');
    const site = `${functionName === '' ? '(anonymous)' : functionName} ${file}:${lineNumber + 1}`;
    bytes.set(site, (bytes.get(site) ?? 0) + node.selfSize);
    for (const child of node.children) visit(child);
  };
  visit(profile.head);
  return [...bytes]
    .map(([site, size]) => ({ site, bytes: size }))
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, SHOWN);
}

function watch(): void {
  const session = new Session();
  session.connect();
  let collections = 0;
  let usedBytes = 0;
  let at = 0;
  const say = (step: string, value: object): void => {
    process.stdout.write(`heap-watch ${JSON.stringify({ step, at, ...value })}\n`);
  };
  new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  }).observe({ entryTypes: ['gc'] });
  const begin = (): void => {
    collect();
    // The observer hears of these two later.
    setTimeout(() => {
      collections = 0;
      usedBytes = v8.getHeapStatistics().used_heap_size;
      say('counting', {});
    }, 100);
  };
  const sample = (): void => {
    say('counted', { bytes: v8.getHeapStatistics().used_heap_size - usedBytes, collections });
    const options = { samplingInterval: SAMPLING_BYTES };
    // The typings lack the two that keep what was collected meanwhile.
    const all = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
    session.post('HeapProfiler.startSampling', Object.assign(options, all), () => say('sampling', {}));
  };
  const end = (): void =>
    session.post('HeapProfiler.stopSampling', (error, reply) => {
      say('sampled', { sites: error === null ? sitesOf(reply.profile) : [] });
    });
  const steps = [begin, sample, end];
  process.on('SIGUSR2', () => {
    const step = steps[at % steps.length];
    at += 1;
    step?.();
  });
}

if (isMainThread) watch();
