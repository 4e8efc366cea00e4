/** Fills a cache folder with so many small images, or values: `node fill-folder.js <folder> <count> [values]` */
import { imageKey, valueKey } from '../../src/core/keys.ts';
import { makePng } from '../make-png.ts';
import { fillDisk } from './fill-disk.ts';

const BODY_BYTES = 600;
const [dir = '', count = '0', what = 'images'] = process.argv.slice(2);

function keyAt(at: number): string {
  if (what === 'images') return imageKey(`file-${at}`);
  return valueKey(`${at % 2 === 0 ? 'old' : 'new'}-${at}`);
}

function* bodies() {
  const body = makePng(BODY_BYTES);
  for (let at = 0; at < Number(count); at += 1) yield { key: keyAt(at), body };
}

await fillDisk(dir, bodies());
