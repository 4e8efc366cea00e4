/** One Chromium for a test file, and pages in it that remember what went wrong in them. */
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface TestBrowser {
  /** `mistakes`: what its scripts threw and what its content policy refused. */
  open(address: string, options?: BrowserContextOptions): Promise<{ page: Page; mistakes: string[] }>;
  close(): Promise<void>;
}

export async function openBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ARGS,
    // Playwright turns it off; one of the tests is about it.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
  return {
    async open(address, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      const mistakes: string[] = [];
      page.on('pageerror', (error) => mistakes.push(String(error)));
      page.on('console', (message) => {
        if (/Content Security Policy|Uncaught/.test(message.text())) mistakes.push(message.text());
      });
      await page.goto(address);
      return { page, mistakes };
    },
    close: () => browser.close(),
  };
}
