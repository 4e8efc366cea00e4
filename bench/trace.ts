/** Request traces, deterministic: which key is asked for next. */

export type Trace = readonly string[];

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function zipfSampler(keys: number, skew: number, next: () => number): () => number {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let rank = 0; rank < keys; rank += 1) {
    sum += 1 / (rank + 1) ** skew;
    sums[rank] = sum;
  }
  return () => {
    const wanted = next() * sum;
    let [low, high] = [0, keys - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

export function zipf(keys: number, requests: number, skew: number, oneHitShare: number): Trace {
  const next = random(7);
  const sample = zipfSampler(keys, skew, next);
  return Array.from({ length: requests }, (_, at) =>
    next() < oneHitShare ? `once-${at}` : `key-${sample()}`,
  );
}

/** Every key in turn, now and then, between skewed reads. */
export function scan(keys: number, requests: number): Trace {
  const next = random(11);
  const sample = zipfSampler(keys, 0.9, next);
  return Array.from({ length: requests }, (_, at) =>
    at % 20_000 < 4000 ? `scan-${at % 4000}` : `key-${sample()}`,
  );
}

/** What was made lately is what is looked at: a gallery that new images push down. */
export function recency(requests: number): Trace {
  const next = random(13);
  return Array.from({ length: requests }, (_, at) => {
    const age = Math.floor(-Math.log(1 - next()) * 200);
    return `key-${Math.max(0, Math.floor(at / 4) - age)}`;
  });
}
