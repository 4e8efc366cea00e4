import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import type { Answer, Exchange } from '../../../../src/http/exchange.ts';
import { loadPages, pageRoutes } from '../../../../src/http/routes/pages.ts';

const folder = mkdtempSync(join(tmpdir(), 'pages-'));
mkdirSync(join(folder, 'live'));
for (const name of [
  'dashboard.html',
  'live.html',
  'client.js',
  'client.d.ts',
  'live/card.js',
  'favicon.svg',
]) {
  writeFileSync(join(folder, name), `of ${name}`);
}
const pages = loadPages(pathToFileURL(`${folder}/`));
afterAll(() => rmSync(folder, { recursive: true }));

function get(path: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const answers: Answer[] = [];
  const exchange = {
    request: { header: (name: string) => headers[name] ?? '' },
    send: (answer: Answer) => void answers.push(answer),
  };
  const route = pageRoutes(pages).find(({ pattern }) => pattern === path);
  // Only what the handler touches.
  void route?.handle(exchange as unknown as Exchange);
  return answers[0] ?? { status: 404, headers: [] };
}

const header = (answer: Answer, name: string): string | undefined =>
  answer.headers.find(([key]) => key === name)?.[1];

test('the dashboard is the root, other pages lose their ending, scripts keep their path, types stay home', () => {
  expect([...pages.keys()].toSorted()).toEqual(['/', '/client.js', '/favicon.svg', '/live', '/live/card.js']);
});

test('documents allow no inline script, scripts may be loaded by any origin', () => {
  const policy = header(get('/live'), 'Content-Security-Policy') ?? '';
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toContain('unsafe');
  expect(header(get('/client.js'), 'Access-Control-Allow-Origin')).toBe('*');
});

test('who takes gzip gets it, and both forms share one validator', () => {
  const packed = get('/client.js', { 'accept-encoding': 'br, gzip' });
  expect(header(packed, 'Content-Encoding')).toBe('gzip');
  expect(gunzipSync(packed.body ?? '').toString()).toBe('of client.js');
  const plain = get('/client.js');
  expect(plain.body?.toString()).toBe('of client.js');
  expect(header(plain, 'ETag')).toBe(header(packed, 'ETag'));
});

test('an unchanged page is answered by 304', () => {
  const etag = header(get('/'), 'ETag') ?? '';
  expect(get('/', { 'if-none-match': etag })).toMatchObject({ status: 304 });
  expect(get('/', { 'if-none-match': '"other"' })).toMatchObject({ status: 200 });
});

test('a server without built pages has none, and starts', () => {
  expect(loadPages(pathToFileURL(`${folder}/nowhere/`)).size).toBe(0);
});
