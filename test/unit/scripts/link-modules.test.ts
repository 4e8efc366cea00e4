import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
// @ts-expect-error plain JavaScript, as it runs before anything is built
import { linkModules } from '../../../scripts/link-modules.js';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'link-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): URL {
  writeFileSync(join(folder, name), text);
  return pathToFileURL(join(folder, name));
}

test('each module comes once, before those that need it, and only the entry exports', async () => {
  write('c.js', 'export const c = 1;\n');
  write('b.js', "import { c } from './c.js';\nexport function b() {\n  return c + 1;\n}\n");
  const entry = write(
    'a.js',
    "import { b } from './b.js';\nimport { c } from './c.js';\nexport const a = b() + c;\n",
  );
  const text: string = linkModules(entry);
  expect(text).not.toContain('import ');
  expect(Object.keys(await import(write('linked.mjs', text).href))).toEqual(['a']);
});

test('what is named as external stays an import', () => {
  const entry = write('a.js', "import { x } from './x.js';\nexport const a = x;\n");
  expect(linkModules(entry, ['./x.js'])).toContain("import { x } from './x.js';");
});

test('two modules with the same name at the top stop the build', () => {
  write('b.js', 'function same() {}\nexport const b = same;\n');
  const entry = write(
    'a.js',
    "import { b } from './b.js';\nfunction same() {}\nexport const a = [b, same];\n",
  );
  expect(() => linkModules(entry)).toThrow('same');
});

test('an import of a form that it does not understand stops the build', () => {
  expect(() => linkModules(write('a.js', "import everything from './b.js';\n"))).toThrow('cannot link');
  expect(() => linkModules(write('d.js', "import { b as c } from './b.js';\n"))).toThrow('renamed');
});
