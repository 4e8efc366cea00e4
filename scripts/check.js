/**
 * `npm run check`: everything that can be said of the code without running it. One line a step with its
 * time, what a failed step printed below it, and a non-zero end if any failed. A step that looked at no
 * file has failed, too: that is how such checks rot.
 */
import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

const STEP_TIMEOUT_MS = 180_000;

/** `saw`: what the output must say for the step to have looked at anything. */
const STEPS = [
  { name: 'format', command: 'oxfmt --check .', saw: /on [1-9]\d* files/ },
  { name: 'lint and import rules', command: 'oxlint --deny-warnings', saw: /on [1-9]\d* files/ },
  { name: 'types of the pages', command: 'tsc -p tsconfig.browser.json --noEmit' },
  { name: 'types of the tests', command: 'tsc -p tsconfig.test.json' },
  { name: 'unused files, exports, packages', command: 'knip --no-progress' },
  // Types of the server are checked here: `tsc` is the build.
  { name: 'build', command: 'npm run --silent build' },
  { name: 'generated documents', command: 'node dist/scripts/write-docs.js --check' },
];

/** Why the step failed; '' when it did not. */
function failureOf({ command, saw }) {
  const { status, stdout, stderr, error } = spawnSync(command, {
    shell: true,
    encoding: 'utf8',
    timeout: STEP_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `node_modules/.bin${delimiter}${process.env.PATH}`, NO_COLOR: '1' },
  });
  const printed = `${stdout}${stderr}`.trim();
  if (error !== undefined) return `${printed}\n${error.message}`;
  if (status !== 0) return printed === '' ? `${command} ended with ${status}` : printed;
  return saw === undefined || saw.test(printed) ? '' : `it looked at no file:\n${printed}`;
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const failed = [];
for (const step of STEPS) {
  const startedMs = performance.now();
  const failure = failureOf(step);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${failure === '' ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)`);
  if (failure === '') continue;
  console.log(failure.replace(/^/gm, '       '));
  failed.push(step.name);
}
console.log(failed.length === 0 ? 'All checks passed.' : `Checks failed: ${failed.join(', ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
