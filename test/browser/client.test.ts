import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openBrowser, type TestBrowser } from './open-browser.ts';
import { paint } from './paint.ts';
import { startServer, type TestServer } from './start-server.ts';

vi.setConfig({ testTimeout: 20_000, hookTimeout: 30_000 });

let server: TestServer;
let browser: TestBrowser;
const opened: Page[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
});
afterEach(async () => {
  for (const page of opened.splice(0)) await page.context().close();
});
afterAll(async () => {
  await Promise.all([browser?.close(), server?.close()]);
});

/** Any page of the server's origin that does nothing itself. */
async function openPage(options = {}): Promise<Page> {
  const { page } = await browser.open(`${server.base}/livez`, options);
  opened.push(page);
  return page;
}

/** Follows in the page; `got` and `states` are there to be read. Text, since the test runner rewrites import(). */
async function followIn(page: Page, options: string): Promise<void> {
  await page.evaluate(`(async () => {
    const { follow } = await import('/client.js');
    window.follow = follow;
    window.got = [];
    window.states = [];
    window.following = follow({
      onEvent: (event) => got.push(event),
      onState: (state) => states.push(state),
      ...(${options}),
    });
  })()`);
  await untilState(page, 'open');
}

async function untilState(page: Page, state: string): Promise<void> {
  await page.waitForFunction(`window.states.at(-1) === ${JSON.stringify(state)}`);
}

async function untilGot(page: Page, id: string): Promise<void> {
  await page.waitForFunction(`window.got.some((event) => event.id === ${JSON.stringify(id)})`);
}

async function subscribers(): Promise<number> {
  const stats = await (await fetch(`${server.base}/admin/stats`)).json();
  return stats.events.subscribers;
}

const readyIds = (page: Page): Promise<string[]> =>
  page.evaluate(`got.filter((event) => event.name === 'image.ready').map((event) => event.id)`);

test('/client.js is one file below 6 KB gzipped', async () => {
  const source = await (await fetch(`${server.base}/client.js`)).text();
  expect(gzipSync(source).byteLength).toBeLessThan(6000);
  expect(source).not.toMatch(/^import /m);
});

test.each(['sse', 'ws'])('events come over %s, with names that the producer chose', async (transport) => {
  const page = await openPage();
  await followIn(page, `{ topics: 'job:${transport}', transport: '${transport}' }`);
  const body = await paint(40);
  await server.put(`${transport}/1`, body, `?topic=job:${transport}&partial=0`);
  await server.put(`${transport}/1`, body, `?topic=job:${transport}&event=concept_progress`);
  await page.waitForFunction('got.length === 2');
  expect(await page.evaluate('got.map((event) => event.name)')).toEqual([
    'image.partial',
    'concept_progress',
  ]);
  expect(await page.evaluate('got[1].thumbnail.slice(0, 15)')).toBe('data:image/webp');
  expect(await page.evaluate('got[1].url')).toMatch(`${server.base}/images/${transport}/1?v=`);
});

test('over a WebSocket, whole images come as bytes', async () => {
  const page = await openPage();
  await followIn(page, `{ topics: 'job:bytes', transport: 'ws', inline: 'full', inlineMax: 1 << 20 }`);
  const body = await paint(41, 64, 64);
  await server.put('bytes/1', body, '?topic=job:bytes');
  await untilGot(page, 'bytes/1');
  expect(await page.evaluate('got[0].image_blob.size')).toBe(body.byteLength);
});

test('all followers of a page share one stream', async () => {
  const page = await openPage();
  let streams = 0;
  page.on('request', (request) => (streams += Number(request.url().includes('/events?'))));
  await followIn(page, `{ topics: 'job:*' }`);
  await page.evaluate(`
    window.second = [];
    follow({ topics: 'job:shared', onReady: (event) => second.push(event.id) });
    follow({ topics: ['job:shared', 'job:other'] });
  `);
  await server.put('shared/1', await paint(42), '?topic=job:shared');
  await page.waitForFunction('second.length === 1');
  expect(streams).toBe(1);
});

test('what is made while a page is offline comes when it is back, once', async () => {
  const page = await openPage();
  const body = await paint(43);
  await followIn(page, `{ topics: 'job:off' }`);
  await server.put('off/1', body, '?topic=job:off');
  await untilGot(page, 'off/1');
  await page.context().setOffline(true);
  await untilState(page, 'offline');
  await server.put('off/2', body, '?topic=job:off');
  await page.context().setOffline(false);
  await untilGot(page, 'off/2');
  await server.put('off/3', body, '?topic=job:off');
  await untilGot(page, 'off/3');
  expect(await readyIds(page)).toEqual(['off/1', 'off/2', 'off/3']);
});

test('a page survives a restart of the server, and is told if something may be missing', async () => {
  const page = await openPage();
  const body = await paint(44);
  await followIn(page, `{ topics: 'job:again' }`);
  await server.put('again/1', body, '?topic=job:again');
  await untilGot(page, 'again/1');
  await server.restart();
  await untilState(page, 'open');
  await server.put('again/2', body, '?topic=job:again');
  await untilGot(page, 'again/2');
  expect(await readyIds(page)).toEqual(['again/1', 'again/2']);
  expect(await page.evaluate(`got.filter((event) => event.name === 'gap').length`)).toBeLessThanOrEqual(1);
});

test('a page in the back-forward cache holds no stream, and goes on when it is back', async () => {
  const page = await openPage();
  const body = await paint(45);
  await followIn(page, `{ topics: 'job:cache' }`);
  await server.put('cache/1', body, '?topic=job:cache');
  await untilGot(page, 'cache/1');
  await page.evaluate(`addEventListener('pageshow', (event) => (window.wasKept = event.persisted))`);
  await page.goto(`${server.base}/readyz`);
  await expect.poll(subscribers).toBe(0);
  await server.put('cache/2', body, '?topic=job:cache');
  await page.goBack({ waitUntil: 'commit' });
  await untilGot(page, 'cache/2');
  expect(await page.evaluate('wasKept')).toBe(true);
  expect(await readyIds(page)).toEqual(['cache/1', 'cache/2']);
});

test('<after-image> waits for an image that is not there yet, and nothing moves when it comes', async () => {
  const page = await openPage();
  await page.evaluate(`(async () => {
    await import('/after-image.js');
    document.body.innerHTML = '<after-image src="/images/later/1?w=256" alt="Later" width="300" height="200"></after-image><p>below</p>';
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    await frame();
    window.shifts = 0;
    new PerformanceObserver((list) => (shifts += list.getEntries().length)).observe({ type: 'layout-shift' });
  })()`);
  const image = page.locator('after-image');
  const room = await image.boundingBox();
  expect([room?.width, room?.height]).toEqual([300, 200]);
  await server.put('later/1', await paint(46));
  await page.locator('after-image[state=ready]').waitFor();
  expect(await image.boundingBox()).toEqual(room);
  expect(await page.evaluate('shifts')).toBe(0);
  const picture = image.locator('.picture');
  expect(await picture.getAttribute('alt')).toBe('Later');
  expect(await picture.getAttribute('src')).toMatch(/w=256&v=[0-9a-f]{64}$/);
});

test('<after-image> of a topic shows partials, then the final, and none of an image that it is not for', async () => {
  const page = await openPage({ reducedMotion: 'reduce' });
  await page.evaluate(`(async () => {
    await import('/after-image.js');
    document.body.innerHTML = '<after-image topic="job:el" alt="Any"></after-image><after-image src="/images/el/none" topic="job:el"></after-image>';
    window.seen = [];
    for (const name of ['partial', 'ready']) {
      document.querySelector('after-image').addEventListener(name, (event) => seen.push([name, event.detail.id]));
    }
    const { follow } = await import('/client.js');
    await new Promise((resolve) => follow({ topics: 'job:el', onState: (state) => state === 'open' && resolve() }));
  })()`);
  const body = await paint(47);
  await server.put('el/1', body, '?topic=job:el&partial=0');
  await page.waitForFunction('seen.length === 1');
  await server.put('el/1', body, '?topic=job:el');
  await page.waitForFunction('seen.length === 2');
  expect(await page.evaluate('seen')).toEqual([
    ['partial', 'el/1'],
    ['ready', 'el/1'],
  ]);
  expect(await page.locator('after-image').nth(1).locator('.picture').count()).toBe(0);
});

test('without script, the <img> inside is what is seen', async () => {
  const page = await openPage({ javaScriptEnabled: false });
  await server.put('plain/1', await paint(48));
  await page.setContent(
    `<after-image><img src="${server.base}/images/plain/1" alt="Plain" width="64"></after-image>`,
  );
  expect(await page.getByRole('img', { name: 'Plain' }).isVisible()).toBe(true);
});
