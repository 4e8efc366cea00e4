/** The soak still runs, from start to report, and finds nothing wrong in a few seconds with faults. Says nothing of memory. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const RUN = fileURLToPath(new URL('../../dist/bench/soak/run.js', import.meta.url));
const DEADLINE_MS = 120_000;
const run = promisify(execFile);

let out = '';
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'afterimage-soak-smoke-'));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

it(
  'npm run soak: a few seconds over the disk with faults, every answer checked',
  { timeout: DEADLINE_MS },
  async () => {
    const args = [RUN, '--minutes', '0.12', '--rate', '60', '--seed', '3', '--no-redis', '--out', out];
    const { stdout } = await run(process.execPath, args).catch((error: { stdout?: string }) => {
      throw new Error(`the soak failed:\n${error.stdout ?? String(error)}`);
    });
    expect(stdout).toContain('wrong answers 0');
    expect(stdout).toContain('PASSED');
    const report = JSON.parse(readFileSync(join(out, 'disk.json'), 'utf8'));
    expect(report.requests).toBeGreaterThan(200);
    expect(report.eventsHeard).toBeGreaterThan(0);
    expect(report.marks.length).toBeGreaterThan(0);
    expect(readFileSync(join(out, 'disk.svg'), 'utf8')).toContain('<svg');
  },
);
