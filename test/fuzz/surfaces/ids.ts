/** Names of images and keys of values, encoded well and badly, in every call that takes one. */
import { compose } from '../compose.ts';
import type { Surface } from '../input.ts';
import { harmText, visible } from '../mutate.ts';
import type { Random } from '../random.ts';

const PIECES = [
  'a',
  'z9',
  '.',
  '..',
  '...',
  '%2e',
  '%2E%2e',
  '%2f',
  '%5c',
  '\\',
  '%00',
  '%0d%0a',
  '%7f',
  '%',
  '%z',
  '%c0%af',
  '%ed%a0%80',
  '%f0%9f%96%bc',
  '%ff',
  '+',
  '%20',
  '~',
  ':',
  '@',
  ';x=1',
  'stream',
  'served',
  'CON',
  '-',
  '__proto__',
  'constructor',
] as const;
type Call = readonly [method: string, prefix: string, suffix: string];
const CALLS: readonly [Call, ...Call[]] = [
  ['GET', '/images/', ''],
  ['HEAD', '/images/', ''],
  ['GET', '/info/', ''],
  ['DELETE', '/images/', ''],
  ['PUT', '/images/', ''],
  ['POST', '/images/', '/stream'],
  ['GET', '/cache/', ''],
  ['PUT', '/cache/', '?ttl=1'],
  ['DELETE', '/cache/', ''],
  ['GET', '/', ''],
  ['GET', '/admin/image?id=', ''],
];

function name(random: Random): string {
  if (random.chance(0.1)) return 'x'.repeat(random.pick([511, 512, 513, 1024, 1025, 5000]));
  const text = random.many(0, 8, () => random.pick(PIECES)).join(random.pick(['/', '/', '', '//']));
  return random.chance(0.3) ? harmText(random, text) : text;
}

/** What would end the request line, or the target within it. */
function asTarget(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0020\u007f]/g, '_');
}

export const ids: Surface = {
  name: 'ids',
  share: 15,
  make(random, corpus) {
    const [method, prefix, suffix] = random.pick(CALLS);
    // Never the name of an image that has to stay.
    const target = asTarget(`${prefix}n${random.chance(0.1) ? visible(random, 40) : name(random)}${suffix}`);
    const token = prefix.startsWith('/admin') ? corpus.adminToken : corpus.writeToken;
    const headers = [['Authorization', `Bearer ${token}`]] as const;
    const sent = method === 'PUT' || method === 'POST' ? { body: random.bytes(random.int(0, 40)) } : {};
    return { writes: [compose({ method, target, headers, ...sent })], expects: 'answer', method };
  },
};
