/** What holds for every answer, whatever was asked. Each check gives what is wrong, or ''. */
import { ERROR_TABLE, type ErrorCode } from '../../src/errors.ts';
import type { Answer } from './read-answer.ts';

/** What the library answers by itself, before the server hears of the request (docs/protocol.md 8). */
const OF_LIBRARY: ReadonlySet<number> = new Set([400, 431, 505]);

export function isOfLibrary(answer: Answer): boolean {
  const isClosing = answer.headers.get('connection') === 'close' && !answer.hasLength;
  return OF_LIBRARY.has(answer.status) && isClosing && answer.body.toString('latin1').startsWith('<h1>');
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code);
}

function checkProblem(answer: Answer, method: string): string {
  const { status, headers, body } = answer;
  if (headers.get('content-type') !== 'application/problem+json') {
    return `${status} is ${headers.get('content-type')}, no problem`;
  }
  if (headers.get('cache-control') !== 'no-store') return `a ${status} may be cached`;
  if (method === 'HEAD') return '';
  try {
    const problem: unknown = JSON.parse(body.toString());
    const code =
      typeof problem === 'object' && problem !== null && 'code' in problem ? problem.code : undefined;
    if (!isErrorCode(code)) return `${status} has the code ${String(code)}, which is none`;
    return ERROR_TABLE[code].status === status ? '' : `${code} came with ${status}`;
  } catch {
    return `${status} is no JSON: ${body.toString('latin1').slice(0, 200)}`;
  }
}

export function checkAnswer(answer: Answer, method: string): string {
  if (isOfLibrary(answer)) return '';
  if (answer.status >= 500 && answer.status !== 503)
    return `it answered ${answer.status}: ${answer.body.toString()}`;
  if (!answer.hasLength) return `${answer.status} has no length`;
  return answer.status >= 400 ? checkProblem(answer, method) : '';
}

/** An answer from an image whose bytes are known: all of it, the part that it names, or nothing. */
export function checkSource(answer: Answer, method: string, source: Uint8Array): string {
  const { status, headers, body } = answer;
  const given = headers.get('content-range') ?? '';
  if (status === 416) return given === `bytes */${source.length}` ? '' : `416 with ${given}`;
  if (status === 304) return '';
  if (status !== 200 && status !== 206) return `a good request was answered ${status}`;
  const [, from = '0', to = String(source.length - 1), total] =
    /^bytes (\d+)-(\d+)\/(\d+)$/.exec(given) ?? [];
  if ((status === 206) !== (total === String(source.length))) return `${status} with "${given}"`;
  const part = source.subarray(Number(from), Number(to) + 1);
  if (headers.get('content-length') !== String(part.length)) return 'the length is not that of the part';
  return method === 'HEAD' || body.equals(part) ? '' : `wrong bytes in a ${status}`;
}

const MESSAGES: ReadonlySet<unknown> = new Set([
  'subscribed',
  'unsubscribed',
  'pong',
  'error',
  'event',
  'position',
]);
const TEXT = 1;
const BINARY = 2;
const CONTROL = 8;

function checkText(payload: Buffer): string {
  try {
    const message: unknown = JSON.parse(payload.toString());
    const type =
      typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
    return MESSAGES.has(type) ? '' : `a message of type ${String(type)}`;
  } catch {
    return `a message is no JSON: ${payload.toString('latin1').slice(0, 200)}`;
  }
}

/** The frames of a server, the last of them perhaps not whole. */
export function checkFrames(bytes: Buffer): string {
  for (let at = 0; at + 2 <= bytes.length;) {
    const [first = 0, second = 0] = bytes.subarray(at, at + 2);
    const opcode = first & 0x0f;
    if ((first & 0xf0) !== 0x80) return `a frame begins with ${first}`;
    if ((second & 0x80) !== 0) return 'a server masked its frame';
    const headBytes = second === 127 ? 10 : second === 126 ? 4 : 2;
    if (bytes.length < at + headBytes) return '';
    const sizes = [second, bytes.readUInt16BE(at + (headBytes === 2 ? 0 : 2))] as const;
    const size = second === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : sizes[second === 126 ? 1 : 0];
    const payload = bytes.subarray(at + headBytes, at + headBytes + size);
    if (payload.length < size) return '';
    const wrong = opcode === TEXT ? checkText(payload) : '';
    if (wrong !== '') return wrong;
    if (opcode > BINARY && opcode < CONTROL) return `a frame of type ${opcode}`;
    at += headBytes + size;
  }
  return '';
}
