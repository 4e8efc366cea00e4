/** The benches still run, from start to report. Says nothing of speed: a shared machine has none to tell. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const RUN = fileURLToPath(new URL('../../dist/bench/run.js', import.meta.url));
const DEADLINE_MS = 90_000;
const run = promisify(execFile);
const hasWrk = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'wrk')));

let out = '';
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'afterimage-smoke-'));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

describe('npm run bench', () => {
  it('lists its scenarios, and refuses one that it does not know', async () => {
    const { stdout } = await run(process.execPath, [RUN, '--list']);
    expect(stdout).toContain('How many hot images a second');
    await expect(run(process.execPath, [RUN, 'no-such-scenario'])).rejects.toMatchObject({ code: 2 });
  });

  it(
    'measures beside its peers and writes a report, or says how to get what it lacks',
    { timeout: DEADLINE_MS },
    async () => {
      const args = [RUN, 'conditional', 'eviction', '--smoke', '--out', out];
      if (!hasWrk) {
        await expect(run(process.execPath, args)).rejects.toMatchObject({
          stderr: expect.stringContaining('apt-get install wrk'),
        });
        return;
      }
      const { stdout } = await run(process.execPath, args);
      expect(stdout).toContain('| 304 | Afterimage |');
      const report = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
      expect(report.failed).toEqual([]);
      expect(report.finished.map(({ scenario }: { scenario: string }) => scenario)).toEqual([
        'conditional',
        'eviction',
      ]);
      expect(readFileSync(join(out, 'eviction.svg'), 'utf8')).toContain('<svg');
    },
  );
});
