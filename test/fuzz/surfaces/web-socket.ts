/** WebSockets: frames as RFC 6455 forbids them, messages as the protocol does not know them. */
import { compose, cutAnywhere } from '../compose.ts';
import type { Surface } from '../input.ts';
import { harm, harmText } from '../mutate.ts';
import type { Random } from '../random.ts';

const TOPICS = [
  '"a"',
  '"*"',
  '"image:served/0"',
  '""',
  '"a*b"',
  '1',
  'null',
  `"${'x'.repeat(641)}"`,
  '"\\u0000"',
  '"\\ud800"',
] as const;
const TYPES = ['subscribe', 'unsubscribe', 'ping', 'SUBSCRIBE', 'publish', '__proto__', ''] as const;
const SINCE = ['"0-0"', '"1763672400123-0"', '"x"', '""', '0', 'null'] as const;

function message(random: Random): string {
  const topics = `[${random.many(0, random.chance(0.1) ? 100 : 4, () => random.pick(TOPICS)).join(',')}]`;
  const since = random.chance(0.3) ? `,"since":${random.pick(SINCE)}` : '';
  const text = `{"type":"${random.pick(TYPES)}","topics":${random.chance(0.9) ? topics : '"a"'}${since}}`;
  return random.chance(0.3) ? harmText(random, text) : text;
}

/** Mostly what a client may send; each rule is broken now and then. */
function frame(random: Random): Buffer {
  const payload = random.chance(0.85)
    ? Buffer.from(message(random))
    : random.bytes(random.pick([0, 1, 125, 126, 200]));
  const opcode = random.chance(0.8) ? 1 : random.int(0, 15);
  const first = (random.chance(0.9) ? 0x80 : 0) | (random.chance(0.05) ? random.int(1, 7) << 4 : 0) | opcode;
  const isMasked = random.chance(0.95);
  const length = random.chance(0.95) ? payload.length : random.edge();
  const mask = isMasked ? 0x80 : 0;
  const long = Buffer.alloc(8);
  long.writeBigUInt64BE(BigInt(Math.max(0, length)));
  const size = random.chance(0.05) ? 127 : length > 65_535 ? 127 : length > 125 ? 126 : Math.max(0, length);
  const sizes = size === 127 ? long : size === 126 ? long.subarray(6) : Buffer.alloc(0);
  const key = random.bytes(4);
  const body = isMasked ? payload.map((byte, at) => byte ^ (key[at % 4] ?? 0)) : payload;
  return Buffer.concat([Buffer.from([first, mask | size]), sizes, isMasked ? key : Buffer.alloc(0), body]);
}

export const webSocket: Surface = {
  name: 'web-socket',
  share: 8,
  make(random) {
    const headers: [string, string][] = [
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Version', '13'],
      [
        'Sec-WebSocket-Key',
        random.chance(0.9) ? 'dGhlIHNhbXBsZSBub25jZQ==' : harmText(random, 'dGhl').replace(/[^!-~]/g, 'x'),
      ],
    ];
    if (random.chance(0.2)) headers.push(['Sec-WebSocket-Protocol', 'x, y']);
    if (random.chance(0.2))
      headers.push(['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits=99']);
    const query = random.pick(['topic=a', 'topic=a&binary=1&inline=full', 'topic=*&since=0-0', '', 'topic=']);
    const shake = compose({ method: 'GET', target: `/ws?${query}`, headers });
    const frames = Buffer.concat(random.many(0, 6, () => frame(random)));
    const sent = random.chance(0.2) ? harm(random, frames) : frames;
    return { writes: [shake, ...cutAnywhere(random, sent, 4)], expects: 'frames', method: 'GET' };
  },
};
