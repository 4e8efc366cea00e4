/** One HTTP/1.1 answer out of the bytes of a connection, read as strictly as RFC 9112 has it. */

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Of the connection's bytes, head and framing included. */
  readonly size: number;
  /** False: its end is the end of the connection. */
  readonly hasLength: boolean;
}

/** undefined: there is more to come. */
export type Reading = Answer | { readonly wrong: string } | undefined;

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]*$/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~\dA-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)$/;
const HEAD_END = '\r\n\r\n';
const HEAD_BYTES_MAX = 64 * 1024;

function readHead(text: string): Pick<Answer, 'status' | 'headers'> | { readonly wrong: string } {
  const [first = '', ...lines] = text.split('\r\n');
  const [, status] = STATUS_LINE.exec(first) ?? [];
  if (status === undefined) return { wrong: `the status line is ${JSON.stringify(first)}` };
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = HEADER_LINE.exec(line) ?? [];
    if (name === undefined) return { wrong: `a header line is ${JSON.stringify(line)}` };
    const key = name.toLowerCase();
    const known = headers.get(key);
    if (known !== undefined && key === 'content-length') return { wrong: 'there are two lengths' };
    headers.set(key, known === undefined ? value : `${known}, ${value}`);
  }
  return { status: Number(status), headers };
}

function readChunks(
  bytes: Buffer,
  from: number,
): { body: Buffer; end: number } | { wrong: string } | undefined {
  const chunks: Buffer[] = [];
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = bytes.subarray(at, lineEnd).toString('latin1');
    if (!/^[\da-fA-F]{1,8}$/.test(size)) return { wrong: `the size of a chunk is ${JSON.stringify(size)}` };
    const end = lineEnd + 2 + Number.parseInt(size, 16);
    if (bytes.length < end + 2) return undefined;
    if (bytes.subarray(end, end + 2).toString('latin1') !== '\r\n') return { wrong: 'a chunk has no end' };
    chunks.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
    if (end === lineEnd + 2) return { body: Buffer.concat(chunks), end: at };
  }
}

/** The answer to a request of `method` at `from`; `isOver`: nothing more will come. */
export function readAnswer(bytes: Buffer, from: number, method: string, isOver: boolean): Reading {
  const headEnd = bytes.indexOf(HEAD_END, from);
  if (headEnd === -1) {
    return bytes.length - from > HEAD_BYTES_MAX ? { wrong: 'the head has no end' } : undefined;
  }
  const head = readHead(bytes.subarray(from, headEnd).toString('latin1'));
  if ('wrong' in head) return head;
  const start = headEnd + HEAD_END.length;
  const answer = { ...head, hasLength: true };
  const { status, headers } = head;
  const length = headers.get('content-length');
  const isChunked = headers.get('transfer-encoding') === 'chunked';
  if (length !== undefined && isChunked) return { wrong: 'it has a length and chunks' };
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
    return { ...answer, body: Buffer.alloc(0), size: start - from };
  }
  if (length !== undefined) {
    if (!/^\d+$/.test(length)) return { wrong: `its length is ${length}` };
    const end = start + Number(length);
    return bytes.length < end ? undefined : { ...answer, body: bytes.subarray(start, end), size: end - from };
  }
  if (isChunked) {
    const read = readChunks(bytes, start);
    if (read === undefined || 'wrong' in read) return read;
    return { ...answer, body: read.body, size: read.end - from };
  }
  if (!isOver) return undefined;
  return { ...answer, hasLength: false, body: bytes.subarray(start), size: bytes.length - from };
}

/** The head of an answer whose body never ends. */
export function readOpenHead(bytes: Buffer): Pick<Answer, 'status' | 'headers'> | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  const head = readHead(bytes.subarray(0, headEnd).toString('latin1'));
  return 'wrong' in head ? undefined : head;
}
