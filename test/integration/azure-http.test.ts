import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite, type Azurite } from '../fixtures/azurite.ts';
import { eventually } from '../fixtures/eventually.ts';
import { jpeg, photoPng, png } from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';
import { sha256 } from '../fixtures/sha256.ts';

const MIB = 1024 * 1024;

let azurite: Azurite;
let app: RunningApp;
let upload: (name: string, body: Uint8Array) => Promise<unknown>;

beforeAll(async () => {
  azurite = await startAzurite();
  const container = await azurite.container('pictures');
  upload = async (name, body) => container.getBlockBlobClient(name).uploadData(Buffer.from(body));
  app = await runApp({
    AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString(),
    AZURE_STORAGE_CONTAINER: 'pictures',
    AZURE_TIMEOUT_MS: '1000',
    STREAM_CUTOFF_MB: '1',
  });
});
afterAll(async () => {
  await app.close();
  await azurite.stop();
});

async function originCalls(): Promise<number> {
  return (await (await app.get('/admin/stats')).json()).origin_calls;
}

describe('GET /images/{id} of a blob', () => {
  it('is served under its own name, with digest and validator, and from memory the next time', async () => {
    await upload('encounters/123/image.jpg', await jpeg());
    const first = await app.get('/images/encounters/123/image.jpg');
    const body = await first.arrayBuffer();
    expect(sha256(body)).toBe(sha256((await jpeg()).buffer));
    expect(first.headers.get('etag')).toBe(`"${sha256(body)}"`);
    expect(first.headers.get('content-type')).toBe('image/jpeg');
    expect(first.headers.get('cache-status')).toMatch(/^azure; .*disk; .*memory; /);
    const second = await app.get('/images/encounters/123/image.jpg');
    expect(second.headers.get('cache-status')).toBe('memory; hit');
  });

  it('is rendered like any other image', async () => {
    await upload('photo', await photoPng());
    const small = await app.get('/images/photo?w=256&format=webp');
    expect([small.status, small.headers.get('content-type')]).toEqual([200, 'image/webp']);
  });

  it('costs one call for a thousand clients at once', async () => {
    await upload('crowd', await png());
    const before = await originCalls();
    const answers = await Promise.all(Array.from({ length: 1000 }, async () => app.get('/images/crowd')));
    const statuses = new Set(answers.map(({ status }) => status));
    await Promise.all(answers.map(async (answer) => answer.arrayBuffer()));
    expect([...statuses]).toEqual([200]);
    expect(await originCalls()).toBe(before + 1);
  });

  it('is a 404 with a code where there is none, and no call the second time', async () => {
    const before = await originCalls();
    for (let count = 0; count < 2; count += 1) {
      const none = await app.get('/images/none');
      expect([none.status, (await none.json()).code]).toEqual([404, 'image_not_found']);
    }
    expect(await originCalls()).toBe(before + 1);
  });
});

describe('GET /images/{id} of a blob over the cut-off', () => {
  it('gives ranges cold, all of it at once, and ranges warm', async () => {
    const large = new Uint8Array(6 * MIB).fill(7);
    large.set(await png());
    await upload('large', large);
    const cold = await app.get('/images/large', { Range: `bytes=${5 * MIB}-${5 * MIB + 9}` });
    expect([cold.status, cold.headers.get('content-range')]).toEqual([
      206,
      `bytes ${5 * MIB}-${5 * MIB + 9}/${6 * MIB}`,
    ]);
    expect(new Uint8Array(await cold.arrayBuffer())).toEqual(new Uint8Array(10).fill(7));
    const whole = await app.get('/images/large');
    expect(whole.headers.get('repr-digest')).toBeNull();
    expect(sha256(await whole.arrayBuffer())).toBe(sha256(large.buffer));
    await eventually(
      async () => (await app.get('/images/large', { Range: 'bytes=0-0' })).headers.has('repr-digest'),
      'the disk has it',
    );
    const before = await originCalls();
    const warm = await app.get('/images/large', { Range: 'bytes=0-7' });
    expect(Buffer.from(await warm.arrayBuffer()).toString('latin1')).toContain('PNG');
    expect(warm.headers.get('etag')).toBe(`"${sha256(large.buffer)}"`);
    expect(await originCalls()).toBe(before);
  });
});

describe('while Azure is away', () => {
  it('what is cached goes on, the rest is a 502 with a code, and the server is well', async () => {
    await app.get('/images/encounters/123/image.jpg');
    await azurite.stop();
    expect((await app.get('/images/encounters/123/image.jpg')).status).toBe(200);
    const failed = await app.get('/images/another');
    expect([failed.status, (await failed.json()).code]).toEqual([502, 'origin_failed']);
    expect((await app.get('/livez')).status).toBe(200);
  });
});
