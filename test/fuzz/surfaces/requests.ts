/** Requests as no client should write them: framing, header lines, targets; split, pipelined, cut off. */
import { compose, cutAnywhere, latin1 } from '../compose.ts';
import type { Corpus } from '../corpus.ts';
import type { Surface } from '../input.ts';
import { harm, visible } from '../mutate.ts';
import type { Random } from '../random.ts';

const METHODS = [
  'GET',
  'GET',
  'HEAD',
  'PUT',
  'POST',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'get',
  'G\u00cbT',
  '',
] as const;
const TARGETS = [
  '/',
  '/livez',
  '/images/served/0',
  '/images/none',
  '/images',
  '/info/served/1',
  '/cache/a',
  '/events?topic=a',
  '/ws',
  '/admin/stats',
  '/metrics',
  '/nowhere',
  '*',
  '//',
  '/..',
  '/images/../livez',
  'http://fuzz/livez',
  'fuzz:80',
  '/%',
  '/?',
  '/#',
  '',
] as const;
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'http/1.1',
  'HTTP/1.1 ',
  '',
] as const;
const ENDS = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', ''] as const;
const NAMES = [
  'Content-Length',
  'Transfer-Encoding',
  'Host',
  'Connection',
  'Expect',
  'Upgrade',
  'Cookie',
  'Origin',
  'Authorization',
  'X-Forwarded-For',
  'Range',
  'Accept',
  'Trailer',
  'TE',
  'X',
  ' X',
  'X ',
  'X\t',
  ':',
  '',
  '\u00fc',
  'X\0Y',
] as const;
const VALUES = [
  '0',
  '1',
  '5',
  '-1',
  '+5',
  '0x5',
  '05',
  '5, 5',
  '5 5',
  '99999999999999999999',
  'chunked',
  'Chunked',
  'chunked, chunked',
  'gzip, chunked',
  'identity',
  '\tchunked',
  'close',
  'keep-alive',
  '100-continue',
  'websocket',
  'bytes=0-',
  '*',
  '',
  ' ',
  'a\0b',
  'a\rb',
  '\u00ff',
] as const;

function headerLine(random: Random): string {
  const value = random.chance(0.05) ? visible(random, 20_000) : random.pick(VALUES);
  const between = random.pick([': ', ': ', ': ', ':', ' : ', ':\t', '']);
  return `${random.pick(NAMES)}${between}${value}${random.pick(ENDS)}`;
}

function body(random: Random): Buffer {
  if (random.chance(0.3)) return random.bytes(random.int(0, 64));
  const size = random.pick(['5', '0', '05', '5;x=y', '-1', 'fffffffffffffffff', '', 'z', ' 5', '5 ']);
  const tail = random.pick(['0\r\n\r\n', '0\r\nX: y\r\n\r\n', '0\r\n', '0\n\n', '']);
  return latin1(`${size}${random.pick(ENDS)}hello${random.pick(ENDS)}${tail}`);
}

function malformed(random: Random): Buffer {
  const line = `${random.pick(METHODS)}${random.pick([' ', ' ', ' ', '  ', '\t'])}${random.pick(TARGETS)} ${random.pick(VERSIONS)}`;
  const host = random.chance(0.9) ? `Host: fuzz${random.pick(ENDS)}` : '';
  const headers = random.many(0, 4, () => headerLine(random)).join('');
  const head = latin1(`${line}${random.pick(ENDS)}${host}${headers}${random.pick(ENDS)}`);
  return random.chance(0.4) ? Buffer.concat([head, body(random)]) : head;
}

function wellFormed(random: Random, corpus: Corpus): Buffer {
  const { id } = random.pick(corpus.served);
  const target = random.pick([
    '/livez',
    `/images/${id}`,
    '/images/none',
    '/metrics',
    '/info/none',
    '/cache/none',
  ]);
  const method = random.pick(['GET', 'GET', 'HEAD', 'PUT', 'POST', 'OPTIONS']);
  const sent = method === 'PUT' || method === 'POST' ? { body: random.bytes(random.int(0, 200)) } : {};
  const headers = [['Connection', random.pick(['keep-alive', 'close'])]] as const;
  return compose({ method, target, headers, ...sent });
}

export const requests: Surface = {
  name: 'requests',
  share: 20,
  make(random, corpus) {
    const parts = random.many(1, 4, () =>
      random.chance(0.5) ? malformed(random) : wellFormed(random, corpus),
    );
    const whole = Buffer.concat(parts);
    const bytes = random.chance(0.3) ? harm(random, whole) : whole;
    return { writes: cutAnywhere(random, bytes, 4), expects: 'end', method: 'GET' };
  },
};
