/** Fills a cache folder with so many small images: `node fill-folder.js <folder> <count> <bytes>` */
import { imageKey } from '../../src/core/keys.ts';
import { makePng } from '../make-png.ts';
import { fillDisk } from './fill-disk.ts';

const [dir = '', count = '0', bytes = '600'] = process.argv.slice(2);

function* images() {
  const body = makePng(Number(bytes));
  for (let at = 0; at < Number(count); at += 1) yield { key: imageKey(`file-${at}`), body };
}

await fillDisk(dir, images());
