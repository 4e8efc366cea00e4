import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { openRawStream } from '../fixtures/raw-stream.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

const SECRET = 'a secret that is long enough for HS256!';
let app: RunningApp;

beforeAll(async () => {
  app = await runApp({ SUBSCRIBE_JWT_SECRET: SECRET });
});
afterAll(async () => app.close());

async function tokenFor(topics: readonly string[], lifeS = 600): Promise<string> {
  return new SignJWT({ topics })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(Date.now() / 1000) + lifeS)
    .sign(new TextEncoder().encode(SECRET));
}

async function statusOf(path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const stop = new AbortController();
  const response = await fetch(`${app.base}${path}`, { headers, signal: stop.signal });
  stop.abort();
  return response.status;
}

test('5 nobody follows without a token, nor beyond what it grants', async () => {
  const headers = { Authorization: `Bearer ${await tokenFor(['job:1', 'user:*'])}` };
  expect(await statusOf('/events?topic=job:1')).toBe(401);
  expect(await statusOf('/events?topic=job:1', headers)).toBe(200);
  expect(await statusOf('/events?topic=user:7&topic=user:8*', headers)).toBe(200);
  expect(await statusOf('/events?topic=job:1&topic=job:2', headers)).toBe(403);
  expect(await statusOf('/events?topic=*', headers)).toBe(403);
});

test('5 a cookie does as well as a header', async () => {
  const headers = { Cookie: `afterimage_token=${await tokenFor(['job:1'])}` };
  expect(await statusOf('/events?topic=job:1', headers)).toBe(200);
});

test('5 a ticket opens one stream', async () => {
  const headers = { Authorization: `Bearer ${await tokenFor(['job:1'])}` };
  expect((await fetch(`${app.base}/events/ticket`, { method: 'POST' })).status).toBe(401);
  const answer = await fetch(`${app.base}/events/ticket`, { method: 'POST', headers });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const { ticket } = (await answer.json()) as { ticket: string };
  expect(await statusOf(`/events?topic=job:1&ticket=${ticket}`)).toBe(200);
  expect(await statusOf(`/events?topic=job:1&ticket=${ticket}`)).toBe(401);
});

test('2.2 a stream ends when its token does, and says so', async () => {
  const token = await tokenFor(['job:1'], 2);
  const stream = await openRawStream(app.port, '/events?topic=job:1', `Authorization: Bearer ${token}\r\n`);
  await eventually(() => stream.events().some(({ event }) => event === 'close'), 'the stream ends');
  expect(stream.events().at(-1)?.data).toContain('expired');
  stream.destroy();
});
