import { SignJWT } from 'jose';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openBrowser, type TestBrowser } from './open-browser.ts';
import { paint } from './paint.ts';
import { startServer, type TestServer } from './start-server.ts';

const TOKEN = 'a-token-for-the-dashboard';
const FOLLOW_SECRET = 'a-secret-of-at-least-thirty-two-bytes';

vi.setConfig({ testTimeout: 20_000, hookTimeout: 30_000 });

let open: TestServer;
let locked: TestServer;
let browser: TestBrowser;
const opened: Page[] = [];

beforeAll(async () => {
  [open, locked, browser] = await Promise.all([
    startServer(),
    startServer({ WRITE_TOKEN: TOKEN, SUBSCRIBE_JWT_SECRET: FOLLOW_SECRET }),
    openBrowser(),
  ]);
});
afterEach(async () => {
  for (const page of opened.splice(0)) await page.context().close();
});
afterAll(async () => {
  await Promise.all([browser?.close(), open?.close(), locked?.close()]);
});

async function openDashboard(server: TestServer, options = {}) {
  const { page, mistakes } = await browser.open(`${server.base}/`, options);
  opened.push(page);
  return { page, mistakes };
}

async function untilValue(page: Page, name: string, pattern: RegExp): Promise<void> {
  await page.locator(`[data-value=${name}]`).filter({ hasText: pattern }).waitFor();
}

test('what fails, what is slow, what is hot and what was evicted is there, on a phone too', async () => {
  const server = await startServer({ MEMORY_CACHE_MB: '1' });
  try {
    const body = await paint(120);
    for (let at = 0; at < 12; at += 1) await server.put(`hot/${at}`, body);
    const large = await paint(700);
    for (let at = 0; at < 8; at += 1) await server.put(`large/${at}`, large);
    await server.put('hot/one', body);
    for (let at = 0; at < 640; at += 1) await (await fetch(`${server.base}/images/hot/one`)).arrayBuffer();
    await fetch(`${server.base}/images/${'not-there/'.repeat(20)}x`);
    await fetch(`${server.base}/images/hot/one?w=63`);
    await fetch(`${server.base}/images/large/1?w=640&format=avif`);
    const { page, mistakes } = await browser.open(`${server.base}/`, {
      viewport: { width: 390, height: 800 },
    });
    opened.push(page);
    await page.locator('#failing tr').filter({ hasText: 'image_not_found' }).waitFor();
    await page.locator('#failing tr').filter({ hasText: 'size_unlisted' }).waitFor();
    await page.locator('#hot tr').first().filter({ hasText: 'hot/one' }).waitFor();
    await page
      .locator('#requests tr')
      .filter({ hasText: /^(PUT|GET) \/images\/.* ms$/ })
      .first()
      .waitFor();
    expect(await page.locator('#evicted tr').count()).toBeGreaterThan(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    expect(mistakes).toEqual([]);
  } finally {
    await server.close();
  }
});

test('numbers move with what the server does, and a new image appears among the recent ones', async () => {
  const { page, mistakes } = await openDashboard(open);
  await page.locator('#connection[data-state=open]').waitFor();
  await untilValue(page, 'subscribers', /^1$/);
  expect(await page.locator('#tiers tr').count()).toBeGreaterThanOrEqual(2);
  await open.put('dash/1', await paint(120));
  for (let i = 0; i < 20; i++) await (await fetch(`${open.base}/images/dash/1`)).arrayBuffer();
  await page.locator('#recent li[data-id="dash/1"] after-image[state=ready]').waitFor();
  await untilValue(page, 'deliveriesNote', /^1 event in all$/);
  await untilValue(page, 'hitRatio', /\d/);
  const path = page.locator('.plot .line.a').first();
  await page.waitForFunction(
    () => (document.querySelector('.plot .line.a')?.getAttribute('d') ?? '').length > 20,
  );
  expect(await path.getAttribute('d')).toMatch(/^M/);
  expect(await page.locator('.plot svg').first().getAttribute('aria-label')).toMatch(
    /Requests per second: all \d/,
  );
  expect(await page.locator('[data-value=about]').textContent()).toMatch(/^v\d+\.\d+\.\d+.* · up \d/);
  expect(mistakes).toEqual([]);
});

test('where the numbers are behind a token, the page asks for it and keeps it for the tab', async () => {
  const { page } = await openDashboard(locked);
  await page.locator('#trouble').getByRole('button', { name: 'Enter token' }).click();
  await page.getByRole('textbox', { name: 'Token' }).fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.locator('#trouble').waitFor({ state: 'hidden' });
  await page.locator('#tiers tr').first().waitFor();
  await page.reload();
  await page.locator('#tiers tr').first().waitFor();
  expect(await page.locator('#trouble').isHidden()).toBe(true);
});

test('where following needs a token, the page asks for it and buys tickets with it', async () => {
  const { page } = await openDashboard(locked);
  const claims = new SignJWT({ topics: ['*'] }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h');
  const token = await claims.sign(new TextEncoder().encode(FOLLOW_SECRET));
  await page.locator('#connection[data-state=closed]').waitFor();
  await page.locator('#unlock').click();
  await page.getByRole('textbox', { name: 'Token' }).fill(token);
  await page.keyboard.press('Enter');
  await page.locator('#connection[data-state=open]').waitFor();
  await locked.put('locked/1', await paint(77));
  await page.locator('#recent li[data-id="locked/1"] after-image[state=ready]').waitFor();
});

test('the topics that are followed are listed, the most followed first', async () => {
  const streams = [0, 1].map(() => new AbortController());
  await Promise.all(streams.map(({ signal }) => fetch(`${open.base}/events?topic=job:listed`, { signal })));
  const { page } = await openDashboard(open);
  const first = page.locator('#topics tr').first();
  await first.filter({ hasText: 'job:listed' }).waitFor();
  expect(await first.locator('td').textContent()).toBe('2');
  for (const stream of streams) stream.abort();
});

test('an image is found by its id, warmed and purged, by keyboard alone', async () => {
  await open.put('find/me', await paint(33));
  await (await fetch(`${open.base}/images/find/me?w=64&format=webp`)).arrayBuffer();
  const { page, mistakes } = await openDashboard(open);
  await page.getByRole('searchbox', { name: 'Image id' }).fill('find/me');
  await page.keyboard.press('Enter');
  const said = page.locator('#find-said');
  await said.filter({ hasText: 'find/me lies in the memory and disk tiers.' }).waitFor();
  const rows = page.locator('#find-result tbody tr');
  expect(await rows.allTextContents()).toEqual([
    expect.stringMatching(/^memory[0-9a-f]{8}\d.*Bnever\d.*image\/png$/),
    expect.stringMatching(/^disk[0-9a-f]{8}\d.*Bnever\d.*image\/png$/),
  ]);
  const variant = page.locator('.variants li').filter({ hasText: 'w64h0' });
  expect(await variant.textContent()).toMatch(/webp.* B · memory, disk$/);
  await page.getByRole('button', { name: 'Warm' }).focus();
  const warmed = page.waitForResponse((response) => response.url().includes('/admin/image'));
  await page.keyboard.press('Enter');
  expect((await warmed).status()).toBe(200);
  await page.waitForFunction(`document.activeElement.textContent === 'Warm'`);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Really purge?' }).waitFor();
  expect((await fetch(`${open.base}/images/find/me`)).status).toBe(200);
  await page.keyboard.press('Enter');
  await said.filter({ hasText: 'No tier has an image of this id' }).waitFor();
  expect((await fetch(`${open.base}/images/find/me`)).status).toBe(404);
  expect(await page.getByRole('button', { name: 'Purge' }).count()).toBe(0);
  expect(mistakes).toEqual([]);
});

test('where finding needs a token, the page asks for it and then shows what was asked', async () => {
  await locked.put('found/1', await paint(44));
  const { page } = await openDashboard(locked);
  await page.getByRole('searchbox', { name: 'Image id' }).fill('found/1');
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'Token' }).fill(TOKEN);
  await page.keyboard.press('Enter');
  await page
    .locator('#find-said')
    .filter({ hasText: 'found/1 lies in the memory and disk tiers.' })
    .waitFor();
});

test('parts that may fail are listed with their state and the last changes', async () => {
  const alone = await startServer({
    REDIS_ENABLED: 'true',
    REDIS_URL: 'redis://127.0.0.1:1',
    REDIS_TIMEOUT_MS: '100',
    AZURE_STORAGE_CONNECTION_STRING:
      'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a;',
    AZURE_STORAGE_CONTAINER: 'images',
    LOG_LEVEL: 'silent',
  });
  try {
    const { page, mistakes } = await openDashboard(alone);
    const bus = page.locator('#parts li').filter({ hasText: 'Events bus' });
    await bus.locator('.pill[data-state=closed]').filter({ hasText: 'local' }).waitFor();
    expect(await page.locator('#health-note').textContent()).toMatch(/^\d of 7 not as they should be$/);
    await untilValue(page, 'tiersNote', /^\d+ origin calls?, \d+ spared$/);
    await page
      .locator('#parts li')
      .filter({ hasText: 'Azure breaker' })
      .locator('[data-state=open]')
      .waitFor();
    await page.locator('#changes li').filter({ hasText: 'Redis backend fallback' }).waitFor();
    expect(mistakes).toEqual([]);
  } finally {
    await alone.close();
  }
  const { page } = await openDashboard(open);
  await page.locator('#tiers tr').first().waitFor();
  expect(await page.locator('#parts li').allTextContents()).toEqual([
    expect.stringMatching(/^Disk.*working$/),
  ]);
});

test('everything that can be used is reached with Tab, and has a name', async () => {
  const { page } = await openDashboard(open);
  await page.locator('#tiers tr').first().waitFor();
  const reached: string[] = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    const name: string = await page.evaluate(`{
      const now = document.activeElement;
      const label = now.getAttribute('aria-labelledby');
      now === document.body ? '' : (now.textContent || document.getElementById(label ?? '')?.textContent || now.ariaLabel || now.title || 'nameless').trim();
    }`);
    if (name === '') break;
    reached.push(name);
  }
  expect(reached.slice(0, 4)).toEqual(['Skip to content', 'Afterimage', 'Dashboard', 'Live']);
  expect(reached).toContain('Open gallery');
  expect(reached).toContain('Find');
  expect(reached).toContain('metrics');
  expect(reached).not.toContain('nameless');
});

test('light and dark follow the system, and text is legible on both', async () => {
  const { page } = await openDashboard(open, { colorScheme: 'light' });
  const contrast = (): Promise<number> =>
    page.evaluate(`{
      const luminance = (colour) => {
        const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
        const [r, g, b] = parts.map((part) => (part <= 0.04 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const note = document.querySelector('.head p');
      const [text, ground] = [getComputedStyle(note).color, getComputedStyle(document.body).backgroundColor].map(luminance);
      (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    }`);
  const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const light = await ground();
  expect(await contrast()).toBeGreaterThan(4.5);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await ground()).not.toBe(light);
  expect(await contrast()).toBeGreaterThan(4.5);
});

test('on a phone, only tables scroll sideways', async () => {
  const { page } = await openDashboard(open, { viewport: { width: 390, height: 844 } });
  await page.locator('#tiers tr').first().waitFor();
  await open.put('a-long-id/'.repeat(12) + 'end', await paint(55));
  await page.getByRole('searchbox', { name: 'Image id' }).fill('a-long-id/'.repeat(12) + 'end');
  await page.keyboard.press('Enter');
  await page.locator('#find-result tbody tr').first().waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
});
