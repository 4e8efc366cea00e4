import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, it } from 'vitest';
import type { RenderJob } from '../../../src/pool/job.ts';
import { runJob } from '../../../workers/image-worker.ts';
import * as images from '../../fixtures/images.ts';

const MIB = 1024 * 1024;
const BOUNDS = { limits: { imageBytes: 1 << 20, pixels: 1_000_000 }, timeoutS: 10 };
let collect: () => void;

beforeAll(() => {
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc');
});

async function residentMib(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage.rss() / MIB;
}

/** About 600 KB come out of each. */
async function renderOften(times: number): Promise<void> {
  const variant = {
    width: 640,
    height: 480,
    fit: 'fill',
    format: 'png',
    quality: 0,
    animated: false,
  } as const;
  for (let time = 0; time < times; time += 1) {
    const source = images.bufferOf(await images.png());
    const sourceBytes = source.byteLength;
    const job: RenderJob = { kind: 'render', source, sourceBytes, variant, webpEffort: 0, ...BOUNDS };
    await runJob(job);
  }
}

it('what sharp makes is given back when it has been handed on', async () => {
  await renderOften(20);
  const before = await residentMib();
  await renderOften(80);
  // 48 MiB went out.
  expect((await residentMib()) - before).toBeLessThan(16);
});
