/**
 * ThumbHash (https://evanw.github.io/thumbhash/) to pixels: some 25 bytes that hold the lowest
 * frequencies of a picture. Only decoding, since the server makes the hashes.
 */

interface Term {
  readonly cx: number;
  readonly cy: number;
  readonly amplitude: number;
}

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

const SIDE = 32;

/** Hands out nibbles, low one first; 0 beyond the end. */
function createNibbles(hash: Uint8Array, start: number): () => number {
  let index = 0;
  return () => {
    const byte = hash[start + (index >> 1)] ?? 0;
    const nibble = (byte >> ((index & 1) << 2)) & 15;
    index += 1;
    return nibble;
  };
}

function readChannel(nibble: () => number, nx: number, ny: number, scale: number): Term[] {
  const terms: Term[] = [];
  for (let cy = 0; cy < ny; cy++) {
    for (let cx = cy === 0 ? 1 : 0; cx * ny < nx * (ny - cy); cx++) {
      terms.push({ cx, cy, amplitude: (nibble() / 7.5 - 1) * scale });
    }
  }
  return terms;
}

/** The inverse cosine transform at one point; x and y run from 0 to pi. */
function sample(mean: number, terms: readonly Term[], x: number, y: number): number {
  let value = mean;
  for (const { cx, cy, amplitude } of terms) {
    value += amplitude * Math.cos(x * cx) * Math.cos(y * cy) * 2;
  }
  return value;
}

/** A function from a point to luma, two chroma differences and alpha, and the picture's proportions. */
function readHash(hash: Uint8Array) {
  const byte = (index: number): number => hash[index] ?? 0;
  const low = byte(0) | (byte(1) << 8) | (byte(2) << 16);
  const high = byte(3) | (byte(4) << 8);
  const hasAlpha = low >> 23 !== 0;
  const isLandscape = high >> 15 !== 0;
  const long = hasAlpha ? 5 : 7;
  const lx = Math.max(3, isLandscape ? long : high & 7);
  const ly = Math.max(3, isLandscape ? high & 7 : long);
  const nibble = createNibbles(hash, hasAlpha ? 6 : 5);
  // Quantising took saturation away: the format gives a quarter back.
  const l = readChannel(nibble, lx, ly, ((low >> 18) & 31) / 31);
  const p = readChannel(nibble, 3, 3, (((high >> 3) & 63) / 63) * 1.25);
  const q = readChannel(nibble, 3, 3, (((high >> 9) & 63) / 63) * 1.25);
  const a = hasAlpha ? readChannel(nibble, 5, 5, (byte(5) >> 4) / 15) : [];
  const means = [(low & 63) / 63, ((low >> 6) & 63) / 31.5 - 1, ((low >> 12) & 63) / 31.5 - 1] as const;
  const opacity = hasAlpha ? (byte(5) & 15) / 15 : 1;
  return {
    ratio: (isLandscape ? long : high & 7) / (isLandscape ? high & 7 : long) || 1,
    at: (x: number, y: number) =>
      [
        sample(means[0], l, x, y),
        sample(means[1], p, x, y),
        sample(means[2], q, x, y),
        sample(opacity, a, x, y),
      ] as const,
  };
}

/** At most 32 x 32 pixels, in the proportions of the picture; undefined for what is no hash. */
export function decodeThumbHash(base64: string): Pixels | undefined {
  let hash: Uint8Array;
  try {
    hash = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
  if (hash.length < 5) return undefined;
  const { ratio, at } = readHash(hash);
  const width = Math.max(1, Math.round(ratio > 1 ? SIDE : SIDE * ratio));
  const height = Math.max(1, Math.round(ratio > 1 ? SIDE / ratio : SIDE));
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const x = (Math.PI / width) * ((i % width) + 0.5);
    const y = (Math.PI / height) * (Math.floor(i / width) + 0.5);
    const [l, p, q, a] = at(x, y);
    const blue = l - (2 / 3) * p;
    const red = (3 * l - blue + q) / 2;
    rgba.set([255 * red, 255 * (red - q), 255 * blue, 255 * a], i * 4);
  }
  return { width, height, rgba };
}
