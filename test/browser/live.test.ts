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

async function openLive(topic: string, options = {}) {
  const { page, mistakes } = await browser.open(
    `${server.base}/live?topic=${encodeURIComponent(topic)}`,
    options,
  );
  opened.push(page);
  await page.locator('#connection[data-state=open]').waitFor();
  return { page, mistakes };
}

const shot = (page: Page, id: string) => page.locator(`.shot[data-id="${id}"]`);

test('a PUT from outside appears without reload: a blurred preview first, the full image after', async () => {
  const { page, mistakes } = await openLive('job:outside');
  const held: (() => void)[] = [];
  await page.route('**/images/**', (route) => void held.push(() => void route.continue()));
  await server.put('outside/one', await paint(200), '?topic=job:outside');
  const card = shot(page, 'outside/one');
  const preview = card.locator('.preview');
  await preview.waitFor();
  expect(await preview.evaluate((layer) => getComputedStyle(layer).filter)).toContain('blur');
  expect(await preview.getAttribute('src')).toMatch(/^data:image\/webp;base64,/);
  expect(await card.locator('.picture').count()).toBe(0);
  for (const letGo of held) letGo();
  await card.locator('after-image[state=ready]').waitFor();
  expect(await card.locator('.picture').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(512);
  expect(await card.locator('.preview').count()).toBe(0);
  expect(mistakes).toEqual([]);
});

test('the newest image is first, and a deleted one goes', async () => {
  const { page } = await openLive('job:order');
  for (const id of ['order/1', 'order/2']) await server.put(id, await paint(90), '?topic=job:order');
  await shot(page, 'order/2').waitFor();
  const ids = await page.locator('.shot').evaluateAll((cards) => cards.map((card) => card.dataset['id']));
  expect(ids).toEqual(['order/2', 'order/1']);
  await fetch(`${server.base}/images/order/1`, { method: 'DELETE' });
  await shot(page, 'order/1').waitFor({ state: 'detached' });
});

test('"Send a test image" sends one, and it comes back through the stream', async () => {
  const { page, mistakes } = await openLive('job:send');
  await page.getByRole('button', { name: 'Send a test image' }).click();
  await page.locator('.shot[data-state=ready] after-image[state=ready]').waitFor();
  expect(mistakes).toEqual([]);
});

test('"Play a generation" shows five partials that grow into one final image', async () => {
  const { page, mistakes } = await openLive('job:play');
  await page.evaluate(`
    window.badges = [];
    new MutationObserver(() => {
      const text = document.querySelector('.shot .badge:not([hidden])')?.textContent;
      if (text && window.badges.at(-1) !== text) window.badges.push(text);
    }).observe(document.querySelector('#gallery'), { subtree: true, childList: true, attributes: true, characterData: true });
  `);
  await page.getByRole('button', { name: 'Play a generation' }).click();
  await page.locator('.shot[data-state=ready] after-image[state=ready]').waitFor();
  const badges = ['partial 1', 'partial 2', 'partial 3', 'partial 4', 'partial 5'];
  expect(await page.evaluate('window.badges')).toEqual(badges);
  expect(await page.locator('.shot').count()).toBe(1);
  expect(mistakes).toEqual([]);
});

test('a chosen file is sent; what is no image is refused in the words of the server', async () => {
  const { page } = await openLive('job:files');
  const files = page.locator('#files');
  await files.setInputFiles({
    name: 'Lighthouse 1.PNG',
    mimeType: 'image/png',
    buffer: Buffer.from(await paint(30)),
  });
  await page.locator('.shot[data-id^="live/lighthouse-1-"] after-image[state=ready]').waitFor();
  await files.setInputFiles({ name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('only text') });
  const failed = page.locator('.upload[data-state=failed]');
  await failed.waitFor();
  expect(await failed.textContent()).toContain('not_an_image');
  await failed.getByRole('button', { name: 'Dismiss' }).click();
  await page.locator('#tray').waitFor({ state: 'hidden' });
});

test('a file may be dropped anywhere on the page', async () => {
  const { page } = await openLive('job:drop');
  const bytes = [...(await paint(60, 64, 64))];
  await page.evaluate(`{
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(${JSON.stringify(bytes)})], 'dropped.png', { type: 'image/png' }));
    for (const type of ['dragenter', 'dragover', 'drop']) {
      document.querySelector('#main').dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
  }`);
  await page.locator('.shot[data-id^="live/dropped-"] after-image[state=ready]').waitFor();
  expect(await page.locator('#drop').isHidden()).toBe(true);
});

test('an image opens large with the keyboard alone, and focus comes back to its card', async () => {
  const { page } = await openLive('job:keys');
  const { version } = await server.put('keys/1', await paint(10), '?topic=job:keys');
  await server.put('keys/2', await paint(20), '?topic=job:keys');
  await shot(page, 'keys/2').waitFor();
  await page.locator('#files').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'keys/2' });
  await dialog.waitFor();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('dialog', { name: 'keys/1' }).waitFor();
  const details = await page.locator('#details').textContent();
  for (const known of ['640 × 480', 'image/png', version]) expect(details).toContain(known);
  await page.keyboard.press('Escape');
  await page.locator('.shot[data-id="keys/1"] button:focus').waitFor();
});

test('the gallery holds 200 cards and lets the oldest go', async () => {
  const { page } = await openLive('job:many');
  const body = await paint(5, 8, 8);
  for (let from = 0; from < 210; from += 30) {
    const batch = Array.from({ length: 30 }, (_, index) =>
      server.put(`many/${from + index}`, body, '?topic=job:many'),
    );
    await Promise.all(batch);
  }
  await page.waitForFunction(() => document.querySelectorAll('.shot').length === 200);
  await shot(page, 'many/0').waitFor({ state: 'detached' });
});

test('on a phone, nothing is wider than the screen', async () => {
  const { page } = await openLive('job:phone', {
    viewport: { width: 390, height: 844 },
    colorScheme: 'dark',
  });
  await server.put(
    'phone/an-image-with-a-rather-long-name-that-has-no-end',
    await paint(1),
    '?topic=job:phone',
  );
  await page.locator('after-image[state=ready]').waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
});

test('two tabs both see what one of them sends', async () => {
  const [first, second] = [await openLive('job:tabs'), await openLive('job:tabs')];
  await first.page.getByRole('button', { name: 'Send a test image' }).click();
  await Promise.all([first, second].map(({ page }) => page.locator('after-image[state=ready]').waitFor()));
});
