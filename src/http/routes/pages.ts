/**
 * The pages and scripts that this server hands to browsers: read and compressed once at start, served
 * from memory. It knows where the build puts them and under which address and headers each is served.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { noneMatchHits } from '../conditional.ts';
import type { Exchange, Headers } from '../exchange.ts';
import type { Route } from '../routes.ts';

export interface Page {
  readonly mime: string;
  readonly body: Uint8Array;
  readonly gzipped: Uint8Array;
  /** With its quotes. `Cache-Control: no-cache` makes browsers ask with it. */
  readonly etag: string;
  readonly headers: Headers;
}

const MIMES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** No inline script or style anywhere; blob: is for a file that is being sent, data: for thumbnails. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const FOR_DOCUMENTS: Headers = [
  ['Cache-Control', 'no-cache'],
  ['Vary', 'Accept-Encoding'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', CONTENT_SECURITY_POLICY],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
];
/** Pages of any origin may load /client.js and /after-image.js. */
const FOR_ASSETS: Headers = [
  ['Cache-Control', 'no-cache'],
  ['Vary', 'Accept-Encoding'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Access-Control-Allow-Origin', '*'],
  ['Cross-Origin-Resource-Policy', 'cross-origin'],
];

/** `dashboard.html` is the root; other documents lose their ending; the rest keeps its path. */
function addressOf(file: string): string {
  if (file === 'dashboard.html') return '/';
  return `/${file.replace(/\.html$/, '')}`;
}

function readPage(file: URL, extension: string, mime: string): Page {
  const body = readFileSync(file);
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 32);
  return {
    mime,
    body,
    gzipped: gzipSync(body),
    etag: `"${digest}"`,
    headers: extension === '.html' ? FOR_DOCUMENTS : FOR_ASSETS,
  };
}

/** Where the build puts the pages, seen from dist/src/http/routes/ and, in tests, from src/http/routes/. */
export function pagesDir(): URL {
  const beside = new URL('../../../browser/', import.meta.url);
  return existsSync(beside) ? beside : new URL('../../../dist/browser/', import.meta.url);
}

/** Every page under its address. Empty where nothing has been built: the rest of the server still works. */
export function loadPages(dir: URL): Map<string, Page> {
  const pages = new Map<string, Page>();
  if (!existsSync(dir)) return pages;
  for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    const extension = extname(file);
    const mime = MIMES[extension];
    const path = file.replaceAll('\\', '/');
    if (mime !== undefined) pages.set(addressOf(path), readPage(new URL(path, dir), extension, mime));
  }
  return pages;
}

function sendPage(exchange: Exchange, page: Page): void {
  const { request } = exchange;
  const isGzip = /\bgzip\b/.test(request.header('accept-encoding'));
  // Weak: one validator for the page as it is and as it is packed (RFC 9110 8.8.1).
  const headers: Headers = [['ETag', `W/${page.etag}`], ...page.headers];
  if (noneMatchHits(request.header('if-none-match'), page.etag))
    return exchange.send({ status: 304, headers });
  exchange.send({
    status: 200,
    headers: [
      ['Content-Type', page.mime],
      ...(isGzip ? [['Content-Encoding', 'gzip'] as const] : []),
      ...headers,
    ],
    body: isGzip ? page.gzipped : page.body,
  });
}

export function pageRoutes(pages: ReadonlyMap<string, Page>): readonly Route[] {
  return [...pages].map(([pattern, page]) => ({
    method: 'get',
    pattern,
    handle: (exchange) => sendPage(exchange, page),
  }));
}
