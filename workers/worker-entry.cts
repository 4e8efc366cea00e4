/**
 * What Piscina loads: CommonJS, so that its `require` never meets an ES module. Node 20 dies where that
 * happens while the same module is being imported, which a thread's first two jobs can bring about.
 */
async function load() {
  const { lowerPriority } = await import('./lower-priority.ts');
  lowerPriority(Number(process.getBuiltinModule('node:worker_threads').workerData));
  return (await import('./image-worker.ts')).runJob;
}

/**
 * Called by Piscina, by name. A promise of the function, which Piscina awaits before the thread counts as
 * ready: a thread that dies while its modules are being read leaves their files open (Node 20).
 */
exports.runJob = load();
