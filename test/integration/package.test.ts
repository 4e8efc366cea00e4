/** What package.json promises is what npm would publish. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const Package = z.object({
  bin: z.record(z.string(), z.string()),
  exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
});

function packed(): readonly string[] {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [pack] = z
    .array(z.object({ files: z.array(z.object({ path: z.string() })) }))
    .parse(JSON.parse(stdout));
  return (pack?.files ?? []).map((file) => file.path);
}

test('every command and every export is in the package, and so are licence and documents', () => {
  const { bin, exports } = Package.parse(JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')));
  const files = packed();
  const targets = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  for (const target of [...Object.values(bin), ...targets, 'LICENSE', 'README.md', 'docs/protocol.md']) {
    expect(files).toContain(target.replace(/^\.\//, ''));
  }
});

test('tests, benches and scripts stay out of the package', () => {
  expect(packed().filter((path) => /^(dist\/)?(test|bench|scripts)\//.test(path))).toEqual([]);
});

test('the lock file names no addresses, so that any registry will do', () => {
  expect(readFileSync(`${ROOT}package-lock.json`, 'utf8')).not.toContain('"resolved"');
});
