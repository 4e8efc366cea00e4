/** Protocol 1.2 and 4: an early refusal reaches every client that is still sending, and nothing is misread after it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onePixelPng } from '../fixtures/images.ts';
import { openRaw } from '../fixtures/raw-http.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

const MIB = 1024 * 1024;
/** More than every socket buffer between here and there. */
const BIG_BYTES = 24 * MIB;

let app: RunningApp;
let big: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  app = await runApp({ MAX_IMAGE_MB: '1', WRITE_TOKEN: 'token' });
  big = new Uint8Array(BIG_BYTES);
});
afterAll(async () => app.close());

interface Cause {
  readonly name: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const authorization = 'Bearer token';
const causes: readonly Cause[] = [
  { name: 'no token', status: 401, headers: { 'content-type': 'image/png' } },
  { name: 'a type that is not taken', status: 415, headers: { authorization, 'content-type': 'video/mp4' } },
  { name: 'too many bytes', status: 413, headers: { authorization, 'content-type': 'image/png' } },
];

/** Writes the script to the program's input where it takes one; its output. */
async function run(command: string, args: readonly string[], input: Uint8Array | string): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return output;
}

describe.each(causes)('a refusal of $name', ({ status, headers }) => {
  const url = (): string => `${app.base}/images/a`;

  test('reaches fetch, with a known length and without', async () => {
    const whole = await fetch(url(), { method: 'PUT', body: big, headers });
    expect([whole.status, whole.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(await whole.json()).toMatchObject({ status });
    // Node's fetch wants `duplex` for a stream; the DOM's types do not know it.
    const init = { method: 'PUT', body: new Blob([big]).stream(), headers, duplex: 'half' } as RequestInit;
    expect((await fetch(url(), init)).status).toBe(status);
  });

  test.each(['keep-alive', 'close'])('reaches node:http, connection: %s', async (connection) => {
    const agent = new Agent({ keepAlive: connection === 'keep-alive' });
    const request = httpRequest(url(), {
      method: 'PUT',
      agent,
      headers: { ...headers, 'content-length': BIG_BYTES },
    });
    request.end(big);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect([response.statusCode, JSON.parse(await text(response))]).toMatchObject([status, { status }]);
    agent.destroy();
  });

  test("reaches Python's http.client and urllib, which send all before they read", async () => {
    const script = `
import http.client, json, sys, urllib.error, urllib.request
body, headers = bytes(${BIG_BYTES}), json.loads(${JSON.stringify(JSON.stringify(headers))})
connection = http.client.HTTPConnection('127.0.0.1', ${app.port})
connection.request('PUT', '/images/a', body, headers)
response = connection.getresponse()
print(response.status, json.loads(response.read())['status'])
connection.request('GET', '/livez')
print(connection.getresponse().status)
try:
    urllib.request.urlopen(urllib.request.Request('${url()}', body, headers, method='PUT'))
except urllib.error.HTTPError as error:
    print(error.code, json.loads(error.read())['status'])
`;
    expect(await run('python3', ['-'], script)).toBe(`${status} ${status}\n200\n${status} ${status}\n`);
  });

  test.each([
    ['as it comes', []],
    ['without Expect', ['-H', 'Expect:']],
    ['chunked', ['-H', 'Expect:', '-H', 'Transfer-Encoding: chunked']],
    ['and then closing', ['-H', 'Expect:', '-H', 'Connection: close']],
  ])('reaches curl, %s', async (_, more) => {
    const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const args = ['-s', '-o', '-', '-w', '\n%{http_code} %{exitcode}', '-X', 'PUT', '--data-binary', '@-'];
    const output = await run('curl', [...args, ...given, ...more, url()], big);
    expect(output.split('\n').at(-1)).toBe(`${status} 0`);
  });

  test('leaves the connection in step: the rest of the body is no request', async () => {
    const raw = await openRaw(app.port);
    const smuggled = `GET /images/smuggled HTTP/1.1\r\nHost: x\r\n\r\n`;
    const body = Buffer.from(smuggled.repeat(Math.ceil((2 * MIB) / smuggled.length)));
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    raw.send(
      `PUT /images/a HTTP/1.1\r\nHost: x\r\n${lines.join('')}Content-Length: ${body.byteLength}\r\n\r\n`,
    );
    await raw.until(new RegExp(`^HTTP/1.1 ${status} `));
    raw.send(body);
    raw.send('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    const answers = (await raw.until(/"status":"ok"/)).match(/HTTP\/1\.1 \d+/g);
    expect(answers).toEqual([`HTTP/1.1 ${status}`, 'HTTP/1.1 200']);
    raw.close();
  });
});

describe('one length and no other', () => {
  const head = `PUT /images/a HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n`;
  const next = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';

  test.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 50\r\n', 'abcde'],
    ['twice the same', 'Content-Length: 5\r\nContent-Length: 5\r\n', 'abcde'],
    ['a list of lengths', 'Content-Length: 5, 5\r\n', 'abcde'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['a coding that is not chunked', 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'],
    ['two codings', 'Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'],
    ['a negative length', 'Content-Length: -5\r\n', 'abcde'],
    ['a length in hex', 'Content-Length: 0x5\r\n', 'abcde'],
    ['an endless length', 'Content-Length: 99999999999999999999\r\n', 'abcde'],
  ])('%s: refused and closed, and what follows is not answered', async (_, lines, body) => {
    for (const gap of [false, true]) {
      const raw = await openRaw(app.port);
      raw.send(`${head}${lines}\r\n${body}${gap ? '' : next}`);
      if (gap) {
        await raw.until(/^HTTP/).catch(() => '');
        raw.send(next);
      }
      const answer = await raw.ended();
      expect(answer).toMatch(/^(HTTP\/1\.1 400 |$)/);
      expect(answer).not.toContain('"status":"ok"');
    }
  });

  test('the same holds for an address that memory answers', async () => {
    await app.put('hot', await onePixelPng(), { headers: { authorization } });
    const raw = await openRaw(app.port);
    raw.send('GET /images/hot HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 34\r\n\r\n');
    expect(await raw.ended()).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('a body where none is expected is skipped', async () => {
    const raw = await openRaw(app.port);
    raw.send(`GET /images/hot HTTP/1.1\r\nHost: x\r\nContent-Length: ${next.length}\r\n\r\n${next}`);
    await raw.until(/^HTTP\/1\.1 200 /);
    raw.send(`GET /info/hot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect((await raw.ended()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
  });
});

describe('requests that follow each other', () => {
  test('answers from memory may be asked for without waiting', async () => {
    await app.put('hot', await onePixelPng(), { headers: { authorization } });
    const raw = await openRaw(app.port);
    raw.send('HEAD /images/hot HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
    raw.send('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect((await raw.ended()).match(/HTTP\/1\.1 200/g)).toHaveLength(21);
  });

  test('who does not wait for an answer that takes time loses the connection, not the server', async () => {
    const image = await onePixelPng();
    const raw = await openRaw(app.port);
    const put = `PUT /images/b HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Length: ${image.byteLength}\r\n\r\n`;
    raw.send(Buffer.concat([Buffer.from(put), image, Buffer.from('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')]));
    expect(await raw.ended()).toBe('');
    const stats = await app.get('/admin/stats', { authorization });
    expect(await stats.json()).toMatchObject({ uploads_in_flight_bytes: 0 });
  });
});

describe('a producer that sends an image stream', () => {
  test('and is refused in its middle can go on with the connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const post = async (path: string, body: Uint8Array): Promise<number> => {
      const request = httpRequest(`${app.base}${path}`, {
        method: 'POST',
        agent,
        headers: { authorization },
      });
      for (let at = 0; at < body.byteLength; at += 65_536) request.write(body.subarray(at, at + 65_536));
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      await buffer(response);
      return response.statusCode ?? 0;
    };
    const junk = Buffer.concat([Buffer.from('data: {"type":"error"}\n\n'), Buffer.alloc(4 * MIB, 'x')]);
    expect(await post('/images/s/stream', junk)).toBeGreaterThanOrEqual(400);
    expect(await post('/images', await onePixelPng())).toBe(201);
    agent.destroy();
  });
});

describe('an empty body', () => {
  test.each(['Content-Length: 0', 'Content-Length: 00', 'Transfer-Encoding: chunked', 'X-Length: none'])(
    'is refused at once, whole or in two packets (%s)',
    async (framing) => {
      const end = framing.startsWith('Transfer') ? '0\r\n\r\n' : '';
      const [first, second] = [
        'PUT /images/a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer token\r\nContent-',
        `Type: image/png\r\n${framing}\r\n\r\n${end}`,
      ];
      const connection = await openRaw(app.port);
      connection.send(`${first}${second}`);
      await connection.until(/body_empty/);
      connection.send(first);
      // An answer in between proves that the first part was read by itself.
      await fetch(`${app.base}/livez`);
      connection.send(second);
      await connection.until(/HTTP\/1.1 400[^]*HTTP\/1.1 400/);
      connection.close();
    },
  );
});
