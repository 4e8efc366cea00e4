/** Images as base64 of every spelling, in JSON and in data URLs. */
import type { Surface } from '../input.ts';
import { latin1 } from '../compose.ts';
import { harmText } from '../mutate.ts';
import type { Random } from '../random.ts';
import { uploadInput } from '../upload.ts';

const PREFIXES = [
  'data:image/png;base64,',
  'data:;base64,',
  'data:image/svg+xml;base64,',
  'data:image/png;charset=x;base64,',
  'data:image/png,',
  'data:base64,',
  'DATA:image/png;BASE64,',
  'data:',
  'base64,',
] as const;
const SPACES = [' ', '\n', '\r\n', '\t', '\u00a0', '\f'] as const;

/** Another spelling of the same bytes, by the rules that the protocol has. */
function respell(random: Random, base64: string): string {
  let text = base64;
  if (random.chance(0.3)) text = text.replaceAll('+', '-').replaceAll('/', '_');
  if (random.chance(0.3)) text = text.replace(/=+$/, '');
  if (random.chance(0.2)) text = text.replace(/(.{76})/g, `$1${random.pick(['\r\n', '\n', ' '])}`);
  return text;
}

function breakIt(random: Random, base64: string): string {
  const at = random.int(0, base64.length);
  const inserted = random.pick(['=', '==', '===', '%', '\u00ff', '\0', '"', '\\', ...SPACES]);
  return random.chance(0.5)
    ? harmText(random, base64)
    : `${base64.slice(0, at)}${inserted}${base64.slice(at)}`;
}

export const base64: Surface = {
  name: 'base64',
  share: 6,
  make(random, corpus, index) {
    const { bytes, format } = random.pick(corpus.samples);
    const spelt = respell(random, Buffer.from(bytes).toString('base64'));
    const isBroken = random.chance(0.6);
    const text = isBroken ? breakIt(random, spelt) : spelt;
    const right = isBroken ? {} : { bytes };
    if (random.chance(0.5)) {
      const isProper = random.chance(0.5);
      const prefix = isProper ? `data:image/${format};base64,` : random.pick(PREFIXES);
      const body = latin1(`${prefix}${text}`);
      return uploadInput(random, corpus, index, { body, type: 'text/plain', ...(isProper ? right : {}) });
    }
    const body = Buffer.from(JSON.stringify({ base64_data: text }));
    return uploadInput(random, corpus, index, { body, type: 'application/json', ...right });
  },
};
