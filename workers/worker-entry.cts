/**
 * What Piscina loads: CommonJS, so that its `require` never meets an ES module. Node 20 dies where that
 * happens while the same module is being imported, which a thread's first two jobs can bring about.
 */
const fs = process.getBuiltinModule('node:fs');
const os = process.getBuiltinModule('node:os');
const { workerData } = process.getBuiltinModule('node:worker_threads');

/** As src/launch.cts does with libuv's: parsing and base64 yield to the loop that serves everybody. */
function lowerPriority(): void {
  const thread = fs.readlinkSync('/proc/thread-self').split('/').at(-1);
  os.setPriority(Number(thread), Number(workerData));
}

try {
  lowerPriority();
} catch {
  // Not Linux, or not allowed.
}

/**
 * Called by Piscina, by name. A promise of the function, which Piscina awaits before the thread counts as
 * ready: a thread that dies while its modules are being read leaves their files open (Node 20).
 */
exports.runJob = import('./image-worker.ts').then(({ runJob }) => runJob);
