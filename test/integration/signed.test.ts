import { afterAll, beforeAll, expect, test } from 'vitest';
import { signAddress } from '../../src/core/signature.ts';
import { png } from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

beforeAll(async () => {
  app = await runApp({ SIGNING_KEYS: 'new key,old key', SIGNED_ONLY: 'true' });
  await app.put('hero', await png());
});
afterAll(async () => app.close());

async function problemOf(path: string): Promise<string> {
  const response = await app.get(path);
  const { code } = (await response.json()) as { code: string };
  return `${response.status} ${code}`;
}

test('5 a signed address is served, also in a size outside the list and by an older key', async () => {
  for (const key of ['new key', 'old key']) {
    const response = await app.get(signAddress('/images/hero?w=200&format=webp', key, inAnHour()));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/webp']);
  }
});

test('5 without a signature, with a wrong, changed or expired one, nothing is served', async () => {
  const signed = signAddress('/images/hero?w=200', 'new key', inAnHour());
  expect(await problemOf('/images/hero')).toBe('403 signature_invalid');
  expect(await problemOf(signed.replace('w=200', 'w=201'))).toBe('403 signature_invalid');
  expect(await problemOf(signAddress('/images/hero', 'unknown key', inAnHour()))).toBe(
    '403 signature_invalid',
  );
  expect(await problemOf(signAddress('/images/hero', 'new key', 1000))).toBe('403 signature_invalid');
});

test('5 even a signed size has a bound', async () => {
  expect(await problemOf(signAddress('/images/hero?w=9000', 'new key', inAnHour()))).toBe(
    '400 size_unlisted',
  );
});
