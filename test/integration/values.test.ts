import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;

beforeAll(async () => {
  app = await runApp();
});
afterAll(async () => app.close());

async function put(path: string, body: string, type = 'application/json'): Promise<Response> {
  return fetch(`${app.base}/cache${path}`, { method: 'PUT', body, headers: { 'Content-Type': type } });
}

async function remove(path: string): Promise<Response> {
  return fetch(`${app.base}/cache${path}`, { method: 'DELETE' });
}

async function clear(pattern: string): Promise<unknown> {
  return (await remove(`?pattern=${encodeURIComponent(pattern)}`)).json();
}

describe('a value', () => {
  it('comes back as it was put, with its type and a validator', async () => {
    const created = await put('/project_images:42:skip:0?ttl=3600', '[1,2,3]');
    expect(created.status).toBe(201);
    expect(await created.json()).toMatchObject({ key: 'project_images:42:skip:0', bytes: 7 });
    const found = await app.get('/cache/project_images:42:skip:0');
    expect(await found.text()).toBe('[1,2,3]');
    expect(found.headers.get('content-type')).toBe('application/json');
    expect(found.headers.get('cache-control')).toBe('public, max-age=0');
    const etag = found.headers.get('etag') ?? '';
    expect((await app.get('/cache/project_images:42:skip:0', { 'If-None-Match': etag })).status).toBe(304);
    const range = await app.get('/cache/project_images:42:skip:0', { Range: 'bytes=1-3' });
    expect([range.status, await range.text()]).toEqual([206, '1,2']);
  });

  it('is replaced by the next one, and gone when it is removed', async () => {
    await put('/once', '1');
    expect((await put('/once', '2')).status).toBe(200);
    expect(await (await app.get('/cache/once')).text()).toBe('2');
    expect((await remove('/once')).status).toBe(204);
    const gone = await app.get('/cache/once');
    expect([gone.status, (await gone.json()).code]).toEqual([404, 'key_not_found']);
    expect((await remove('/once')).status).toBe(404);
  });

  it('may be empty, and its key may hold what a URL has to escape', async () => {
    const path = `/${encodeURIComponent('a/b c?d#e*é')}`;
    expect((await put(path, '', 'text/plain')).status).toBe(201);
    const found = await app.get(`/cache${path}`);
    expect([found.status, await found.text()]).toEqual([200, '']);
  });

  it('is there until its time is over and not after, to a fraction of a second', async () => {
    const created = await put('/brief?ttl=0.4', 'x');
    const expiresAtMs = Date.parse((await created.json()).expires_at);
    expect((await app.get('/cache/brief')).status).toBe(200);
    await eventually(async () => (await app.get('/cache/brief')).status === 404, 'it expired');
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAtMs);
  });

  it('does not answer for an image of the same name, nor an image for it', async () => {
    await put('/same', 'value');
    expect((await app.get('/images/same')).status).toBe(404);
    expect((await app.get('/cache/image:same')).status).toBe(404);
  });
});

describe('what is refused', () => {
  it.each([
    ['/k?ttl=0', 'text/plain', 'query_invalid'],
    ['/k?ttl=-1', 'text/plain', 'query_invalid'],
    ['/k?ttl=soon', 'text/plain', 'query_invalid'],
    ['/k?ttl=99999999', 'text/plain', 'query_invalid'],
    ['/', 'text/plain', 'key_invalid'],
    ['/%00', 'text/plain', 'key_invalid'],
    ['/%zz', 'text/plain', 'key_invalid'],
    [`/${'k'.repeat(1025)}`, 'text/plain', 'key_invalid'],
    ['/k', 'text', 'content_type_unsupported'],
  ])('PUT %s as %s is %s', async (path, type, code) => {
    const refused = await put(path, 'x', type);
    expect([(await refused.json()).code, refused.status >= 400 && refused.status < 500]).toEqual([
      code,
      true,
    ]);
  });

  it('a removal without key or pattern', async () => {
    expect((await (await remove('')).json()).code).toBe('query_invalid');
    expect(await (await remove('?pattern=')).json()).toMatchObject({ code: 'query_invalid' });
  });
});

describe('clearing by pattern', () => {
  it('removes every key that matches and no other, and says how many', async () => {
    for (const project of [7, 77]) {
      for (const skip of [0, 100]) await put(`/listing:${project}:skip:${skip}`, 'x');
    }
    await put('/listing:7', 'x');
    expect(await clear('listing:7:*')).toEqual({ cleared: 2 });
    expect((await app.get('/cache/listing:7:skip:0')).status).toBe(404);
    expect((await app.get('/cache/listing:7')).status).toBe(200);
    expect((await app.get('/cache/listing:77:skip:100')).status).toBe(200);
    expect(await clear('listing:7:*')).toEqual({ cleared: 0 });
  });

  it('takes an escaped star for a star, and touches nothing but values', async () => {
    await put('/star*1', 'x');
    await put('/star-1', 'x');
    expect(await clear('star\\*?')).toEqual({ cleared: 1 });
    expect((await app.get('/cache/star-1')).status).toBe(200);
    expect(await clear('image:*')).toEqual({ cleared: 0 });
  });
});
