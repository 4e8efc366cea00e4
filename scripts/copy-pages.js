/**
 * Copies what the pages need beside their script (html, css, svg) from src/browser to dist/browser,
 * where loadPages and the package find it. Runs after tsc, as the last step of `npm run build`.
 */
import { cpSync } from 'node:fs';
import { extname } from 'node:path';

const COPIED = new Set(['', '.html', '.css', '.svg']);

cpSync(new URL('../src/browser/', import.meta.url), new URL('../dist/browser/', import.meta.url), {
  recursive: true,
  filter: (source) => COPIED.has(extname(source)),
});
