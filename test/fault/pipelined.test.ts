/** The library runs a request that came in one packet with the end of its connection on a socket that is gone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jpeg, onePixelPng } from '../fixtures/images.ts';
import { openRaw } from '../fixtures/raw-http.ts';
import { serveCli } from '../fixtures/run-cli.ts';

const HEAD = 'HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer token\r\nContent-Type: image/png\r\n';
let server: Awaited<ReturnType<typeof serveCli>>;
let port: number;

beforeAll(async () => {
  server = await serveCli({ WRITE_TOKEN: 'token' });
  port = Number(new URL(server.url).port);
  const headers = { Authorization: 'Bearer token' };
  await fetch(`${server.url}/images/large`, { method: 'PUT', body: await jpeg(), headers });
});
afterAll(async () => server.close());

test.each([
  ['refused', '/images/a//b', 'hello'],
  ['not there', '/nowhere', 'hello'],
])('nobody asks a socket that is gone: the one before was %s and closed it', async (_name, target, body) => {
  const image = Buffer.from(await onePixelPng());
  const packet = Buffer.concat([
    // More than the library holds back, so that it sends what follows at once.
    Buffer.from(`GET /images/large ${HEAD}\r\n`),
    Buffer.from(`PUT ${target} ${HEAD}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    Buffer.from(`PUT /images/after ${HEAD}Content-Length: ${image.length}\r\n\r\n`),
    image,
  ]);
  for (let n = 0; n < 10; n += 1) {
    const connection = await openRaw(port);
    connection.send(packet);
    await connection.ended();
  }
  const alive = await Promise.race([server.ended, fetch(`${server.url}/livez`).then(({ status }) => status)]);
  expect(alive).toBe(200);
});
