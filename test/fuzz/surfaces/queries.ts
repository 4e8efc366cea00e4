/** Queries of every call that reads one: sizes, formats, versions, signatures, topics, cursors, patterns. */
import { compose } from '../compose.ts';
import type { Corpus } from '../corpus.ts';
import type { Surface } from '../input.ts';
import { visible } from '../mutate.ts';
import type { Random } from '../random.ts';

const NUMBERS = [
  '0',
  '1',
  '16',
  '32',
  '64',
  '-16',
  '16.0',
  '1e1',
  '016',
  '0x10',
  ' 16',
  '16 ',
  '',
  'NaN',
  'Infinity',
  '9007199254740993',
  '%31%36',
  '\u0661',
] as const;
const IMAGE: Readonly<Record<string, readonly [string, ...string[]]>> = {
  w: NUMBERS,
  h: NUMBERS,
  q: ['1', '50', '100', '101', ...NUMBERS],
  fit: ['inside', 'cover', 'contain', 'fill', 'COVER', ''],
  format: ['auto', 'webp', 'avif', 'jpeg', 'png', 'gif', 'svg', ''],
  anim: ['0', '1', ''],
  v: ['0', 'f'.repeat(64), ''],
  partial: ['1', '0', ''],
  sig: ['x', 'A'.repeat(43), ''],
  exp: ['1', '99999999999', '-1', 'x'],
  ttl: NUMBERS,
};
const FOLLOW: typeof IMAGE = {
  topic: ['a', '*', 'job:*', 'a*b', '', 'x'.repeat(641), '%00', '%f0%9f'],
  inline: ['full', 'none', 'thumbnail', 'FULL', ''],
  inline_max: ['256', '255', '65536', ...NUMBERS],
  last_event_id: ['0-0', '1763672400123-0', '99999999999999-0', '-', '1-', '1-1-1', 'x'],
  since: ['0-0', ''],
  ticket: ['x', ''],
  binary: ['1', '2'],
};
const PATTERNS = [
  '*',
  '?',
  '\\',
  'z*z*z*',
  '['.repeat(50),
  '*'.repeat(1024),
  'a'.repeat(1025),
  '',
  '%2a',
  '\\*',
] as const;

function queryOf(random: Random, table: typeof IMAGE): string {
  const names = Object.keys(table);
  const pair = (): string => {
    const name = names[random.int(0, names.length - 1)] ?? 'w';
    const value = random.chance(0.1) ? visible(random, 30) : random.pick(table[name] ?? ['']);
    return `${name}${random.pick(['=', '=', '=', '=', '', '=='])}${value}`;
  };
  // What would end the target.
  return random
    .many(0, 5, pair)
    .join(random.pick(['&', '&', '&', ';', '&&']))
    .replace(/[ #]/g, '%20');
}

function target(random: Random, { served }: Corpus): readonly [method: string, target: string] {
  const { id } = random.pick(served);
  switch (random.int(0, 9)) {
    case 0:
      return ['GET', `/events?${queryOf(random, FOLLOW)}`];
    case 1:
      return ['GET', `/ws?${queryOf(random, FOLLOW)}`];
    case 2:
      return ['DELETE', `/cache?pattern=zz${random.pick(PATTERNS)}&${queryOf(random, IMAGE)}`];
    case 3:
      return ['POST', `/events/ticket?${queryOf(random, FOLLOW)}`];
    default:
      return [random.pick(['GET', 'GET', 'HEAD']), `/images/${id}?${queryOf(random, IMAGE)}`];
  }
}

export const queries: Surface = {
  name: 'queries',
  share: 15,
  make(random, corpus) {
    const [method, address] = target(random, corpus);
    const accept = random.pick([
      'image/avif,*/*',
      'image/webp',
      'image/*;q=0',
      '*/*',
      '',
      'image/avif;q=x',
      ',,,;q=',
    ]);
    const headers = [
      ['Accept', accept],
      ['Authorization', `Bearer ${corpus.writeToken}`],
    ] as const;
    return { writes: [compose({ method, target: address, headers })], expects: 'answer', method };
  },
};
