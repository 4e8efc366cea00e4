/** The benches still run, from start to report. Says nothing of speed: a shared machine has none to tell. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const RUN = fileURLToPath(new URL('../../dist/bench/run.js', import.meta.url));
const COMPARE = fileURLToPath(new URL('../../dist/bench/compare.js', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../.git', import.meta.url));
const DEADLINE_MS = 150_000;
/** One for each kind of load and of subject; the order in which they run. */
const SCENARIOS = ['conditional', 'stampede', 'eviction', 'growth'];
const run = promisify(execFile);
const PEERS = fileURLToPath(new URL('../../bench/peers/node_modules/.package-lock.json', import.meta.url));
const hasWrk = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'wrk')));
const hasLoad = hasWrk || existsSync(PEERS);

let out = '';
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'afterimage-smoke-'));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

describe('npm run bench', () => {
  it('lists its scenarios, and refuses one that it does not know', async () => {
    const { stdout } = await run(process.execPath, [RUN, '--list']);
    expect(stdout).toMatch(/^hit +\d+ s +\d+ s +How many hot images a second/m);
    // A quick run is promised in under three minutes.
    expect(Number(/^all +([\d.]+) min/m.exec(stdout)?.[1])).toBeLessThan(3);
    await expect(run(process.execPath, [RUN, 'no-such-scenario'])).rejects.toMatchObject({ code: 2 });
  });

  it(
    'measures beside its peers and writes a report, or says how to get what it lacks',
    { timeout: DEADLINE_MS },
    async () => {
      const args = [RUN, ...SCENARIOS, '--smoke', '--out', out];
      if (!hasLoad) {
        await expect(run(process.execPath, args)).rejects.toMatchObject({
          stderr: expect.stringContaining('apt-get install wrk'),
        });
        return;
      }
      const { stdout } = await run(process.execPath, args);
      expect(stdout).toContain('| 304 | Afterimage |');
      const report = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
      expect(report.failed).toEqual([]);
      expect(report.finished.map(({ scenario }: { scenario: string }) => scenario)).toEqual(SCENARIOS);
      expect(stdout).toMatch(/load from (wrk|autocannon)/);
      expect(readFileSync(join(out, 'eviction.svg'), 'utf8')).toContain('<svg');
    },
  );

  it(
    'compares a commit with the work tree, and leaves nothing behind',
    { timeout: DEADLINE_MS },
    async () => {
      if (!hasLoad || !existsSync(REPOSITORY)) return;
      const { stdout } = await run(process.execPath, [COMPARE, 'HEAD', '--smoke']);
      expect(stdout).toMatch(/^hit 512 KB {2}by core-second: /m);
      const worktrees = await run('git', ['worktree', 'list']);
      expect(worktrees.stdout).not.toContain('afterimage-compare-');
    },
  );
});
