/** Pictures for the tests: a slope in one colour, so that a preview can be told from nothing. */
import sharp from 'sharp';

export async function paint(red: number, width = 640, height = 480): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    pixels[i * 3] = red;
    pixels[i * 3 + 1] = ((i % width) / width) * 255;
    pixels[i * 3 + 2] = (i / width / height) * 255;
  }
  const png = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  return new Uint8Array(png);
}
