/**
 * The lots that the fuzzer draws. Every input has a generator of its own, made from the run's seed and the
 * input's index, so that any input can be made again without those before it.
 */

export interface Random {
  /** Whole, from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** True in `share` of all cases, from 0 to 1. */
  chance(share: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  bytes(count: number): Buffer;
  /** `count` lots, each of them made by `make`. */
  many<T>(min: number, max: number, make: () => T): T[];
  /** A number that programs find hard: at the edge of a type, of a limit, of zero. */
  edge(): number;
}

const EDGES = [0, 1, 2, 3, 7, 8, 15, 16, 127, 128, 255, 256, 1023, 4096, 32_767, 65_535, 65_536] as const;
const FAR_EDGES = [2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1] as const;

/** splitmix32: spreads a seed and an index over the state of the generator. */
function createSpread(from: number): () => number {
  let state = from | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

/** xorshift128 (Marsaglia): 32 bits a call. */
function createBits(seed: number, index: number): () => number {
  const spread = createSpread(seed ^ Math.imul(index, 0x85ebca6b));
  let [a, b, c, d] = [spread(), spread() ^ index, spread(), spread() | 1];
  return () => {
    const mixed = a ^ (a << 11);
    [a, b, c] = [b, c, d];
    d = (d ^ (d >>> 19) ^ mixed ^ (mixed >>> 8)) >>> 0;
    return d;
  };
}

export function createRandom(seed: number, index: number): Random {
  const bits = createBits(seed, index);
  const int = (min: number, max: number): number => min + Math.floor((bits() / 2 ** 32) * (max - min + 1));
  const chance = (share: number): boolean => bits() / 2 ** 32 < share;
  const pick = <T>(from: readonly [T, ...T[]]): T => from[int(0, from.length - 1)] ?? from[0];
  return {
    int,
    chance,
    pick,
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => bits() & 0xff)),
    many: (min, max, make) => Array.from({ length: int(min, max) }, make),
    edge: () => (chance(0.7) ? pick(EDGES) : pick(FAR_EDGES)) - (chance(0.2) ? 1 : 0),
  };
}
