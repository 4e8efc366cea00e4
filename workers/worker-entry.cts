/**
 * What Piscina loads: CommonJS, so that its `require` never meets an ES module. Node 20 dies where that
 * happens while the same module is being imported, which a thread's first two jobs can bring about.
 */
import type { Job } from '../src/pool/job.ts';

const worker = import('./image-worker.ts');

/** Called by Piscina, by name. */
exports.runJob = async (job: Job): Promise<unknown> => (await worker).runJob(job);
