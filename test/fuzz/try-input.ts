/** Sends one input, waits for what it has to come to, and says what is wrong with that. */
import { createHash } from 'node:crypto';
import { compose } from './compose.ts';
import { openConnection, type Connection } from './connection.ts';
import type { Input } from './input.ts';
import { checkAnswer, checkFrames, checkSource, isOfLibrary } from './oracle.ts';
import { readAnswer, readOpenHead, type Answer, type Reading } from './read-answer.ts';

export interface Outcome {
  /** '' when all is well. */
  readonly wrong: string;
  /** The status, or how else it ended: what a run's report counts. */
  readonly came: string;
}

/** Sends the inputs of one lane, one after the other. */
export interface Lane {
  tryInput(input: Input): Promise<Outcome>;
  close(): void;
}

/** Far more than anything takes: whoever waits as long is forgotten. */
const DEADLINE_MS = 20_000;
const SWITCHED = 101;
const CONTINUE = 100;

type Got = Exclude<Reading, undefined> | { readonly stream: number } | { readonly closed: true };

function read(method: string) {
  return (bytes: Buffer, isOver: boolean): Got | undefined => {
    const first = readAnswer(bytes, 0, method, isOver);
    const isInterim = first !== undefined && 'status' in first && first.status === CONTINUE;
    const got = isInterim ? readAnswer(bytes, first.size, method, isOver) : first;
    if (got !== undefined) return got;
    const head = readOpenHead(bytes);
    if (head?.headers.get('content-type') === 'text/event-stream') return { stream: head.status };
    return isOver ? { closed: true } : undefined;
  };
}

function codeOf({ status, body }: Answer): string {
  const [, code] = /"code":"(\w+)"/.exec(body.subarray(0, 400).toString('latin1')) ?? [];
  return code === undefined ? String(status) : `${status} ${code}`;
}

interface Receipt {
  readonly version: string;
  readonly url: string;
}

/** One of an upload, several of a stream; [] where an answer is something else. */
function receiptsIn(answer: Answer): readonly Receipt[] {
  // What the server says of itself is read here as the test of it reads it.
  const body = JSON.parse(answer.body.toString()) as Partial<Receipt> & { images?: readonly Receipt[] };
  const { version, url, images = [] } = body;
  return version === undefined || url === undefined ? images : [{ version, url }];
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Every answer that a client with broken requests got: heads as they should be, problems whole. */
function checkAll(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (text !== '' && !text.startsWith('HTTP/1.1 '))
    return `it began with ${JSON.stringify(text.slice(0, 80))}`;
  const starts = [...text.matchAll(/HTTP\/1\.1 (?=[1-5]\d\d )/g)].map(({ index }) => index);
  for (const [at, start] of starts.entries()) {
    const part = bytes.subarray(start, starts[at + 1] ?? bytes.length);
    const answer = readAnswer(part, 0, 'GET', true);
    // To HEAD, or cut off by the end of the connection: the head is all there is to check.
    const head = answer ?? readAnswer(part, 0, 'HEAD', true);
    if (head === undefined) continue;
    if ('wrong' in head) return head.wrong;
    const wrong = checkAnswer(head, answer === undefined ? 'HEAD' : 'GET');
    if (wrong !== '') return wrong;
  }
  return '';
}

/**
 * Cut before its address or within its version, a request is taken for one of another version
 * (docs/protocol.md 8), and the answer that says so may be lost with the connection.
 */
function isCutInFirstLine(writes: readonly Uint8Array[]): boolean {
  const line = Buffer.concat(writes).toString('latin1').split('\n')[0] ?? '';
  const version = line.lastIndexOf(' ');
  let at = 0;
  return writes.some((bytes) => {
    at += bytes.length;
    return at === line.indexOf(' ') + 1 || (at > version && at <= line.length);
  });
}

export function openLane(port: number): Lane {
  let kept: Connection | undefined;

  async function ask(writes: readonly Uint8Array[], method: string): Promise<Got | undefined> {
    const connection = kept !== undefined && !kept.isOver() ? kept : openConnection(port);
    kept = undefined;
    connection.forget();
    for (const bytes of writes) connection.write(bytes);
    const got = await connection.until(read(method), DEADLINE_MS);
    const isReusable =
      got !== undefined && 'status' in got && got.hasLength && got.headers.get('connection') !== 'close';
    if (isReusable) kept = connection;
    else connection.destroy();
    return got;
  }

  /** What was taken is served as it was taken. */
  async function checkTaken(input: Input, answer: Answer): Promise<string> {
    // A stream may have replaced its own image: the last receipt is the one that holds.
    const versions = new Map<string, string>();
    for (const { version, url } of receiptsIn(answer)) {
      versions.set(new URL(url, 'http://fuzz').pathname, version);
    }
    for (const [target, version] of versions) {
      const bytes = input.upload?.bytes;
      if (bytes !== undefined && sha256(bytes) !== version) return 'the receipt is for other bytes';
      const got = await ask([compose({ method: 'GET', target })], 'GET');
      if (got === undefined || !('status' in got)) return 'what was taken is not served';
      if (got.status !== 200 || sha256(got.body) !== version)
        return `what was taken is served as ${codeOf(got)}`;
    }
    return '';
  }

  async function tryRequest(input: Input): Promise<Outcome> {
    const { method, source, upload } = input;
    const got = await ask(input.writes, method);
    if (isCutInFirstLine(input.writes)) return { wrong: '', came: 'cut in its first line' };
    if (got === undefined) return { wrong: `no answer in ${DEADLINE_MS} ms`, came: 'nothing' };
    if ('closed' in got) return { wrong: 'the connection closed without an answer', came: 'closed' };
    if ('stream' in got) return { wrong: '', came: 'stream' };
    if ('wrong' in got) return { wrong: got.wrong, came: 'malformed' };
    const came = codeOf(got);
    const checks = [
      isOfLibrary(got) ? `a whole request was refused with ${got.status}` : checkAnswer(got, method),
    ];
    if (source !== undefined) checks.push(checkSource(got, method, source));
    const isTaken = (upload !== undefined || method === 'POST') && got.status < 300 && got.status >= 200;
    if (isTaken) checks.push(await checkTaken(input, got));
    return { wrong: checks.find((check) => check !== '') ?? '', came };
  }

  async function tryAnything({ writes }: Input): Promise<Outcome> {
    const connection = openConnection(port);
    for (const bytes of writes) connection.write(bytes);
    connection.end();
    const bytes = await connection.until((all, isOver) => (isOver ? all : undefined), DEADLINE_MS);
    connection.destroy();
    if (bytes === undefined) return { wrong: `open for ${DEADLINE_MS} ms after its end`, came: 'nothing' };
    return { wrong: checkAll(bytes), came: bytes.subarray(9, 12).toString('latin1') || 'closed' };
  }

  async function tryFrames({ writes, method }: Input): Promise<Outcome> {
    const [shake = new Uint8Array(), ...frames] = writes;
    const connection = openConnection(port);
    connection.write(shake);
    const got = await connection.until(read(method), DEADLINE_MS);
    const isOpen = got !== undefined && 'status' in got && got.status === SWITCHED;
    for (const bytes of isOpen ? frames : []) connection.write(bytes);
    connection.end();
    const all = await connection.until((bytes, isOver) => (isOver ? bytes : undefined), DEADLINE_MS);
    connection.destroy();
    if (got === undefined || all === undefined)
      return { wrong: `open for ${DEADLINE_MS} ms`, came: 'nothing' };
    if ('wrong' in got) return { wrong: got.wrong, came: 'malformed' };
    if (!('status' in got)) return { wrong: 'closed without an answer', came: 'closed' };
    const wrong = isOpen ? checkFrames(all.subarray(got.size)) : checkAnswer(got, method);
    return { wrong, came: codeOf(got) };
  }

  return {
    async tryInput(input) {
      if (input.expects === 'answer') return tryRequest(input);
      return input.expects === 'end' ? tryAnything(input) : tryFrames(input);
    },
    close: () => kept?.destroy(),
  };
}
