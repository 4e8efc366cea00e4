/**
 * sharp alone, four renderings at a time, in a process of its own: what the product's renderings are
 * compared with. As a server does, it has as many images in memory as it renders, each in a buffer of its
 * own: the only one would lie in the processor's cache. Prints renderings a second, of all qualities.
 * Run: `node bare-sharp.js <file> <side> <effort> <images> <quality,quality>`
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import sharp from 'sharp';

const AT_ONCE = 4;
/** One for each of libuv's threads, twice: the first of each costs more. */
const WARM_UP = 8;
const [file = '', side = '512', effort = '2', images = '20', qualities = '80'] = process.argv.slice(2);
const source = readFileSync(file);
const sources = Array.from({ length: Number(images) }, () => Buffer.from(source));
const jobs = qualities
  .split(',')
  .flatMap((quality) => sources.map((bytes) => ({ bytes, quality: Number(quality) })));
sharp.cache(false);
sharp.concurrency(1);

type Job = (typeof jobs)[number];

async function render({ bytes, quality }: Job): Promise<void> {
  await sharp(bytes)
    .autoOrient()
    .resize(Number(side), undefined, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality, effort: Number(effort) })
    .toBuffer();
}

async function renderAll(todo: readonly Job[]): Promise<void> {
  const left = todo.values();
  const worker = async (): Promise<void> => {
    for (const job of left) await render(job);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

await renderAll(jobs.slice(0, WARM_UP));
const before = process.cpuUsage();
const startMs = performance.now();
await renderAll(jobs);
const tookMs = performance.now() - startMs;
const { user, system } = process.cpuUsage(before);
const sample = { value: (jobs.length * 1000) / tookMs, cores: (user + system) / 1000 / tookMs };
process.stdout.write(`${JSON.stringify(sample)}\n`);
