/**
 * sharp alone, four renderings at a time, in a process of its own: what the product's renderings are
 * compared with. Prints renderings a second. Run: `node bare-sharp.js <file> <side> <effort> <count>`
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import sharp from 'sharp';

const AT_ONCE = 4;
const [file = '', side = '512', effort = '2', count = '20'] = process.argv.slice(2);
const source = readFileSync(file);
sharp.cache(false);
sharp.concurrency(1);

async function render(): Promise<void> {
  await sharp(source)
    .autoOrient()
    .resize(Number(side), undefined, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 80, effort: Number(effort) })
    .toBuffer();
}

let left = Number(count);
async function worker(): Promise<void> {
  while (left > 0) {
    left -= 1;
    await render();
  }
}

await render();
const startMs = performance.now();
await Promise.all(Array.from({ length: AT_ONCE }, worker));
const perSecond = (Number(count) * 1000) / (performance.now() - startMs);
process.stdout.write(`${JSON.stringify({ value: perSecond })}\n`);
