/**
 * Finishes dist/browser after tsc: copies what the pages need beside their script (html, css, svg), and
 * makes one file each of what other people's pages load. Runs as the last step of `npm run build`.
 */
import { cpSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { linkModules } from './link-modules.js';

const COPIED = new Set(['', '.html', '.css', '.svg']);
const SOURCE = new URL('../src/browser/', import.meta.url);
const TARGET = new URL('../dist/browser/', import.meta.url);

cpSync(SOURCE, TARGET, { recursive: true, filter: (source) => COPIED.has(extname(source)) });

const client = new URL('client.js', TARGET);
const afterImage = new URL('after-image.js', TARGET);
writeFileSync(client, linkModules(client));
// The element and the page share one client, so that they share one stream.
writeFileSync(afterImage, linkModules(afterImage, ['./client.js']));
