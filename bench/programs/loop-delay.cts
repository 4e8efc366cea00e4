/**
 * Loaded into the server with `--require`: how late its event loop is, printed and begun anew at each
 * SIGUSR2. From outside the code that is measured; worker threads are left alone.
 */
const { monitorEventLoopDelay } = require('node:perf_hooks') as typeof import('node:perf_hooks');
const { isMainThread } = require('node:worker_threads') as typeof import('node:worker_threads');

const RESOLUTION_MS = 1;

if (isMainThread) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  process.on('SIGUSR2', () => {
    // What is recorded is the whole time between two looks: the wait itself is no delay.
    const delay = (percent: number): number =>
      Math.max(0, histogram.percentile(percent) / 1e6 - RESOLUTION_MS);
    const line = JSON.stringify({ p50Ms: delay(50), p99Ms: delay(99), mostMs: histogram.max / 1e6 });
    process.stdout.write(`loop-delay ${line}\n`);
    histogram.reset();
  });
}
