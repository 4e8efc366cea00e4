import { readFileSync } from 'node:fs';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../fixtures/events.ts';
import { photoPng, png } from '../fixtures/images.ts';
import { startNginx, type NginxServer } from '../fixtures/nginx-server.ts';
import { openRawStream } from '../fixtures/raw-stream.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;
let nginx: NginxServer;

beforeEach(async () => {
  app = await runApp();
});
afterEach(async () => {
  await app.close();
  await nginx.close();
});

/** Every default of nginx, buffering among them. */
const withDefaults =
  (settings: string) =>
  (port: number): string =>
    `events {}\nhttp {\n  server {\n    listen 127.0.0.1:${port};\n    ${settings}\n` +
    `    location / { proxy_pass http://127.0.0.1:${app.port}; }\n  }\n}\n`;

const ofExample = (port: number, folder: string): string =>
  readFileSync(new URL('../../examples/nginx.conf', import.meta.url), 'utf8')
    .replace('server 127.0.0.1:8080', `server 127.0.0.1:${app.port}`)
    .replaceAll('listen 443', `listen 127.0.0.1:${port}`)
    .replaceAll('/etc/nginx/tls', folder);

it('behind nginx, needs proxy_http_version 1.1: the server refuses the 1.0 of its default', async () => {
  nginx = await startNginx(withDefaults('proxy_http_version 1.0;'));
  expect((await fetch(`http://127.0.0.1:${nginx.port}/livez`)).status).toBe(505);
});

describe('behind nginx with its defaults and proxy_http_version 1.1', () => {
  beforeEach(async () => {
    nginx = await startNginx(withDefaults('proxy_http_version 1.1;'));
  });

  it('events arrive one by one, each before the next has happened', async () => {
    // Without thumbnails: nginx holds small pieces back longest.
    const stream = await openRawStream(nginx.port, '/events?topic=job:1&inline=none');
    for (const id of ['a', 'b', 'c']) {
      await app.put(id, await png(), { query: '?topic=job:1' });
      await until(`${id} came`, () => stream.events().some(({ data }) => JSON.parse(data).id === id));
    }
    expect(stream.events().map(({ event }) => event)).toEqual(['image.ready', 'image.ready', 'image.ready']);
    stream.destroy();
  });

  it('Last-Event-ID reaches the server: a stream resumes with what it missed', async () => {
    const first = await openRawStream(nginx.port, '/events?topic=job:1');
    await app.put('a', await png(), { query: '?topic=job:1' });
    await until('a came', () => first.events().length === 1);
    first.destroy();
    await app.put('b', await png(), { query: '?topic=job:1' });
    const resume = `Last-Event-ID: ${first.lastId()}\r\n`;
    const second = await openRawStream(nginx.port, '/events?topic=job:1', resume);
    await until('b came', () => second.events().length === 1);
    expect(JSON.parse(second.events()[0]?.data ?? '').id).toBe('b');
    second.destroy();
  });

  it('images, their conditions and ranges come through as they are', async () => {
    const base = `http://127.0.0.1:${nginx.port}`;
    const body = await photoPng();
    await app.put('a', body);
    const whole = await fetch(`${base}/images/a`);
    const etag = whole.headers.get('etag') ?? '';
    expect(Buffer.from(await whole.arrayBuffer()).equals(body)).toBe(true);
    expect(whole.headers.get('cache-control')).toBe('public, max-age=3600');
    const known = await fetch(`${base}/images/a`, { headers: { 'If-None-Match': etag } });
    expect([known.status, known.headers.get('etag')]).toEqual([304, etag]);
    const part = await fetch(`${base}/images/a`, { headers: { Range: 'bytes=100-199' } });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([
      206,
      Buffer.from(body.subarray(100, 200)),
    ]);
    const head = await fetch(`${base}/images/a`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(body.length));
  });
});

describe('behind examples/nginx.conf', () => {
  let session: ClientHttp2Session;

  beforeEach(async () => {
    nginx = await startNginx(ofExample);
    session = connect(`https://localhost:${nginx.port}`, { ca: readFileSync(nginx.certificate) });
    await once(session, 'connect');
  });
  afterEach(() => session.destroy());

  interface Heard {
    readonly stream: ClientHttp2Stream;
    readonly status: number;
    text(): string;
  }

  async function ask(headers: Record<string, string>, body?: Uint8Array): Promise<Heard> {
    const stream = session.request(headers, { endStream: false });
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    if (body !== undefined || headers[':method'] === undefined) stream.end(body);
    const [answer]: readonly { readonly ':status'?: number }[] = await once(stream, 'response');
    return { stream, status: answer?.[':status'] ?? 0, text: () => text };
  }

  it('speaks HTTP/2: twenty streams and the images share one connection', async () => {
    const opened = Array.from({ length: 20 }, (_, at) =>
      ask({ ':path': `/events?topic=image:a&topic=job:${at}` }),
    );
    const streams = await Promise.all(opened);
    expect(session.alpnProtocol).toBe('h2');
    await app.put('a', await png());
    await until('all heard of it', () => streams.every(({ text }) => text().includes('event: image.ready')));
    const image = await ask({ ':path': '/images/a' });
    if (!image.stream.readableEnded) await once(image.stream, 'end');
    expect(Buffer.from(image.text(), 'latin1').equals(await png())).toBe(true);
    for (const { stream } of streams) stream.close();
  });

  it('takes a large image from a page of its own address', async () => {
    const origin = `https://localhost:${nginx.port}`;
    const headers = { ':method': 'PUT', ':path': '/images/a', 'content-type': 'image/png' };
    expect((await photoPng()).length).toBeGreaterThan(1024 * 1024);
    expect((await ask({ ...headers, origin }, await photoPng())).status).toBe(201);
    expect((await ask({ ...headers, origin: 'https://elsewhere.example' }, await png())).status).toBe(403);
  });

  it("passes a producer's partial on before its stream ends", async () => {
    const events = await openRawStream(app.port, '/events?topic=image:a');
    const producer = session.request({ ':method': 'POST', ':path': '/images/a/stream' });
    const b64_json = Buffer.from(await png()).toString('base64');
    const say = (event: Record<string, unknown>): string =>
      `data: ${JSON.stringify({ ...event, b64_json })}\n\n`;
    producer.write(say({ type: 'image_generation.partial_image', partial_image_index: 0 }));
    await until('the partial came', () => events.events().some(({ event }) => event === 'image.partial'));
    producer.end(say({ type: 'image_generation.completed' }));
    await until('the final came', () => events.events().some(({ event }) => event === 'image.ready'));
    events.destroy();
  });

  it('upgrades WebSockets', async () => {
    const { request } = await import('node:https');
    const upgrade = request({
      host: 'localhost',
      port: nginx.port,
      path: '/ws?topic=*',
      ca: readFileSync(nginx.certificate),
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    });
    upgrade.end();
    const [answer, socket] = await once(upgrade, 'upgrade');
    expect(answer.statusCode).toBe(101);
    socket.destroy();
  });
});
