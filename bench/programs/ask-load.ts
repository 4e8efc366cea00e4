/**
 * Asks for addresses, so many at a time, until there are no more or it is ended: the storm beside which others
 * are timed. In a process of its own, so that it can give way to who takes the times.
 * Run: `node ask-load.js <file with an address a line> <at once>`
 */
import { readFileSync } from 'node:fs';

const [file = '', atOnce = '1'] = process.argv.slice(2);
const left = readFileSync(file, 'utf8').trim().split('\n').values();

async function askOneByOne(): Promise<void> {
  for (const url of left) {
    const response = await fetch(url);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
  }
}

process.stdout.write('asking\n');
await Promise.all(Array.from({ length: Number(atOnce) }, askOneByOne));
process.stdout.write('had too few addresses\n');
