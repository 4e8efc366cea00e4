/** An upload as an input: where it goes, how it is framed, and what has to be served if it is taken. */
import { compose } from './compose.ts';
import type { Corpus } from './corpus.ts';
import type { Input } from './input.ts';
import type { Random } from './random.ts';

export interface UploadWish {
  readonly body: Uint8Array;
  readonly type: string;
  /** What has to be served if it is taken; undefined: whatever its receipt names. */
  readonly bytes?: Uint8Array;
}

/** An id that no other input has: what is served there afterwards is of this one. */
export function uploadInput(random: Random, { writeToken }: Corpus, index: number, wish: UploadWish): Input {
  const { body, type, bytes } = wish;
  const path = `/images/up/${index}`;
  const headers = [
    ['Authorization', `Bearer ${writeToken}`],
    ['Content-Type', type],
  ] as const;
  const at = random.int(0, body.length);
  const framing = random.chance(0.8) ? { body } : { chunks: [body.subarray(0, at), body.subarray(at)] };
  const whole = compose({ method: 'PUT', target: `${path}?ttl=60`, headers, ...framing });
  const cut = random.chance(0.8) ? whole.length : random.int(0, whole.length);
  return {
    writes: [whole.subarray(0, cut), whole.subarray(cut)],
    expects: 'answer',
    method: 'PUT',
    upload: { path, ...(bytes === undefined ? {} : { bytes }) },
  };
}
