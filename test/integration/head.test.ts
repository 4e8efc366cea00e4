import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { photoPng, png } from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;

beforeAll(async () => {
  app = await runApp({ MEMORY_CACHE_MB: '1' });
  for (const [id, body] of [['hot', await png()] as const, ['cold', await photoPng()] as const])
    await fetch(`${app.base}/images/${id}`, {
      method: 'PUT',
      body,
      headers: { 'Content-Type': 'image/png' },
    });
});
afterAll(async () => app.close());

/** What comes back when each of these is asked for on one connection, the next after the answer to the last. */
async function askInTurn(requests: readonly string[]): Promise<string> {
  const socket = connect({ port: app.port, host: '127.0.0.1' });
  let text = '';
  for (const request of requests) {
    socket.write(`${request} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const [bytes]: readonly unknown[] = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    text += bytes instanceof Buffer ? bytes.toString('latin1') : '';
  }
  socket.destroy();
  return text;
}

// RFC 9110 9.3.2
it.each([
  ['an image in memory', '/images/hot', async () => (await png()).length],
  ['an image on disk', '/images/cold', async () => (await photoPng()).length],
  ['a refusal', '/images/none', undefined],
  ['a small answer', '/livez', undefined],
])(
  'answers HEAD of %s without a body, and the next request on the same connection',
  async (_, path, length) => {
    const answers = await askInTurn([`HEAD ${path}`, 'GET /livez']);
    expect(answers.match(/HTTP\/1\.1 /g)).toHaveLength(2);
    if (length !== undefined) expect(answers).toContain(`Content-Length: ${await length()}\r\n`);
    expect(answers).toMatch(/\r\n\r\nHTTP\/1\.1 200 OK/);
  },
);
