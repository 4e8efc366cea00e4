/** Breaks each import rule of .oxlintrc.json once, in a folder of its own: a rule that refuses nothing is found here. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const REFUSED: readonly (readonly [file: string, code: string])[] = [
  ['src/core/a.ts', `import { a } from '../cache/a.ts';`],
  ['src/core/b.ts', `import type { A } from '../flows/a.ts';`],
  ['src/core/c.ts', `import sharp from 'sharp';`],
  ['src/config/a.ts', `import { a } from '../http/a.ts';`],
  ['src/observe/a.ts', `import { a } from '../cache/a.ts';`],
  ['src/cache/a.ts', `import { a } from '../pool/a.ts';`],
  ['src/cache/b.ts', `import type { A } from '../events/a.ts';`],
  ['src/cache/c.ts', `import { Redis } from 'ioredis';`],
  ['src/pool/a.ts', `import { a } from '../cache/a.ts';`],
  ['src/pool/b.ts', `import sharp from 'sharp';`],
  ['src/events/a.ts', `import { a } from '../cache/a.ts';`],
  ['src/events/b.ts', `import { App } from 'uWebSockets.js';`],
  ['src/redis/a.ts', `import { Redis } from 'ioredis';`],
  ['src/redis/b.ts', `import { a } from '../flows/a.ts';`],
  ['src/origin/a.ts', `import { BlobServiceClient } from '@azure/storage-blob';`],
  ['src/processes/a.ts', `import { a } from '../http/a.ts';`],
  ['src/upstream/a.ts', `import { a } from '../http/a.ts';`],
  ['src/library/a.ts', `import { a } from '../http/a.ts';`],
  ['src/flows/a.ts', `import { a } from '../cache/a.ts';`],
  ['src/flows/b.ts', `import { a } from '../http/a.ts';`],
  ['src/flows/c.ts', `import { Piscina } from 'piscina';`],
  ['src/http/a.ts', `import { a } from '../cache/a.ts';`],
  ['src/http/b.ts', `import { a } from '../app.ts';`],
  ['src/http/routes/a.ts', `import { a } from '../../pool/a.ts';`],
  ['src/http/routes/b.ts', `import { a } from '../../app.ts';`],
  ['src/browser/a.ts', `import { a } from '../core/a.ts';`],
  ['src/browser/client/a.ts', `import { a } from '../../core/a.ts';`],
  ['src/cli/a.ts', `import { a } from '../cache/a.ts';`],
  ['src/app/a.ts', `import { a } from '../cli/a.ts';`],
  ['src/app/b.ts', `import { App } from 'uWebSockets.js';`],
  ['src/index.ts', `import { a } from './http/a.ts';`],
  ['src/app.ts', `import { App } from 'uWebSockets.js';`],
  ['src/main.ts', `import { a } from './app.ts';`],
  ['src/errors.ts', `import { a } from './core/a.ts';`],
  ['src/a-new-folder/a.ts', `import { a } from '../core/a.ts';`],
  ['src/http/c.ts', `import { a } from '../../test/fixtures/a.ts';`],
  ['src/app/c.ts', `import { a } from '../../bench/a.ts';`],
  ['src/app/d.ts', `import { a } from '../../test/fixtures/a.ts';`],
  ['src/cache/d.ts', `export * from '../pool/a.ts';`],
  ['src/cache/e.ts', `export const a = await import('../pool/a.ts');`],
  ['workers/a.ts', `import { a } from '../src/pool/pool.ts';`],
  ['workers/b.ts', `import { a } from '../test/fixtures/a.ts';`],
  ['workers/c.ts', `import { App } from 'uWebSockets.js';`],
];

const ALLOWED: readonly (readonly [file: string, code: string])[] = [
  ['src/core/x.ts', `import { a } from './a.ts';`],
  ['src/core/y.ts', `import { a } from '../errors.ts';`],
  ['src/cache/x.ts', `import { LRUMapWithDelete } from 'mnemonist';`],
  ['src/cache/y.ts', `import { a } from '../core/a.ts';`],
  ['src/pool/x.ts', `import { Piscina } from 'piscina';`],
  ['src/redis/x.ts', `import type { Redis } from 'ioredis';`],
  ['src/origin/x.ts', `import type { BlobServiceClient } from '@azure/storage-blob';`],
  ['src/flows/x.ts', `import type { A } from '../cache/a.ts';`],
  ['src/http/x.ts', `import { App } from 'uWebSockets.js';`],
  ['src/http/routes/x.ts', `import type { A } from '../../cache/a.ts';`],
  ['src/http/routes/y.ts', `import { a } from '../a.ts';`],
  ['src/app/x.ts', `import { Redis } from 'ioredis';`],
  ['src/cli/x.ts', `import { a } from '../config/a.ts';`],
  ['workers/x.ts', `import sharp from 'sharp';`],
  ['workers/y.ts', `import { a } from '../src/core/a.ts';`],
];

/** Where else the environment and the exit code may not be touched. */
const PROCESS: readonly (readonly [file: string, code: string])[] = [
  ['src/http/p.ts', `export const a = process.env['A'];`],
  ['src/app/q.ts', `process.exit(1);`],
];

const CYCLE: readonly (readonly [file: string, code: string])[] = [
  ['src/cache/one.ts', `import { two } from './two.ts';\nexport const one = () => two;`],
  ['src/cache/two.ts', `import { one } from './one.ts';\nexport const two = () => one;`],
];

let folder: string;
let complaints: ReadonlyMap<string, readonly string[]>;

function lint(): Map<string, string[]> {
  const oxlint = join(ROOT, 'node_modules/.bin/oxlint');
  const { stdout } = spawnSync(oxlint, ['--format', 'json', '.'], { cwd: folder, encoding: 'utf8' });
  // What oxlint prints with --format json.
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] };
  const byFile = new Map<string, string[]>();
  for (const { filename, code } of diagnostics) {
    byFile.set(filename, [...(byFile.get(filename) ?? []), code]);
  }
  return byFile;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'afterimage-rules-'));
  copyFileSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  for (const [file, code] of [...REFUSED, ...ALLOWED, ...PROCESS, ...CYCLE]) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), `${code}\n`);
  }
  complaints = lint();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(REFUSED)('%s may not say %s', (file) => {
  expect(complaints.get(file)).toContain('eslint(no-restricted-imports)');
});

test.each(ALLOWED)('%s may say %s', (file) => {
  expect(complaints.get(file) ?? []).not.toContain('eslint(no-restricted-imports)');
});

test.each(PROCESS)('%s may not say %s', (file) => {
  const found = complaints.get(file) ?? [];
  expect(found.some((code) => /no-process-(env|exit)/.test(code))).toBe(true);
});

test('two files may not import each other', () => {
  expect(complaints.get('src/cache/one.ts')).toContain('import(no-cycle)');
});

test('each folder of src is among the broken ones', () => {
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const broken = new Set(REFUSED.map(([file]) => file.split('/')[1]));
  expect(folders.map((entry) => entry.name).filter((name) => !broken.has(name))).toEqual([]);
});
