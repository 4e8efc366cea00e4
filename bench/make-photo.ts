/** An image as a generator makes them: soft shapes with some grain, as PNG or JPEG; 1024 px gives about 1.5 MB. */
import sharp from 'sharp';
import { noise } from './make-png.ts';

const GRAIN = 8;

export async function makePhoto(side: number, format: 'png' | 'jpeg', seed = 1): Promise<Buffer> {
  const grain = noise(side * side, seed);
  const pixels = Buffer.alloc(side * side * 3);
  for (let at = 0; at < side * side; at += 1) {
    const [x, y] = [(at % side) / side, Math.floor(at / side) / side];
    const shade = (Math.sin(x * 9 + seed) + Math.cos(y * 7 - seed) + Math.sin((x + y) * 23)) / 3;
    const value = 128 + 100 * shade + ((grain[at] ?? 0) / 255 - 0.5) * GRAIN;
    pixels[at * 3] = value;
    pixels[at * 3 + 1] = 255 - value * 0.7;
    pixels[at * 3 + 2] = 60 + value * 0.5 * x;
  }
  const image = sharp(pixels, { raw: { width: side, height: side, channels: 3 } });
  return format === 'png'
    ? image.png({ compressionLevel: 6 }).toBuffer()
    : image.jpeg({ quality: 90 }).toBuffer();
}
