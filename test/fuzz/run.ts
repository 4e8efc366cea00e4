/** `npm run fuzz -- --inputs N --seed N --only surface --from index --lanes N --resident-mb N`. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { RESIDENT_MB_MAX } from './fuzz-server.ts';
import type { Input } from './input.ts';
import { runFuzz, type FuzzFailure, type FuzzProgress, type FuzzReport } from './run-fuzz.ts';
import { SURFACES } from './surfaces/all.ts';

const PRINT_EVERY_S = 10;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    from: { type: 'string', default: '0' },
    lanes: { type: 'string', default: '16' },
    only: { type: 'string' },
    'resident-mb': { type: 'string', default: String(RESIDENT_MB_MAX) },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function describe(input: Input): string {
  return input.writes.map((bytes) => JSON.stringify(Buffer.from(bytes).toString('latin1'))).join('\n');
}

function sayProgress(progress: FuzzProgress): void {
  const { done, seconds, residentMb, bystanderUsualMs, bystanderWorstMs } = progress;
  say(
    `${String(done).padStart(9)} inputs  ${seconds.toFixed(0).padStart(5)} s  ${(done / seconds).toFixed(0)} a second  ` +
      `resident ${residentMb.toFixed(0)} MiB of ${values['resident-mb']}  ` +
      `bystander p90 ${bystanderUsualMs.toFixed(1)} ms, worst ${bystanderWorstMs.toFixed(0)} ms`,
  );
}

function sayFailure({ index, surface, wrong, input, beside }: FuzzFailure): void {
  const only = values.only === undefined ? '' : ` --only ${values.only}`;
  writeFileSync('fuzz-failure.bin', Buffer.concat(input.writes));
  say(`FAILED at input ${index} (${surface}): ${wrong}`);
  say(`Again: npm run fuzz -- --seed ${values.seed} --from ${index} --inputs 1${only}`);
  say(`Beside it: ${beside.join(', ')}`);
  say(`Its bytes are in fuzz-failure.bin, and here, a line a write:\n${describe(input)}`);
}

function sayCame({ came }: FuzzReport): void {
  for (const [surface, counts] of came) {
    const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
    say(`${surface}: ${sorted.map(([what, count]) => `${what} ${count}`).join(', ')}`);
  }
}

if (values.only !== undefined && !SURFACES.some(({ name }) => name === values.only)) {
  say(`--only is one of ${SURFACES.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
say(`seed ${values.seed}, ${values.inputs} inputs`);
let saidS = 0;
const report = await runFuzz({
  seed: Number(values.seed),
  inputs: Number(values.inputs),
  from: Number(values.from),
  lanes: Number(values.lanes),
  only: values.only,
  residentMbMax: Number(values['resident-mb']),
  onProgress(progress) {
    if (progress.seconds - saidS < PRINT_EVERY_S) return;
    saidS = progress.seconds;
    sayProgress(progress);
  },
});
sayProgress(report);
say(`resident memory at most ${report.residentMbMost.toFixed(0)} MiB`);
sayCame(report);
if (report.failure !== undefined) sayFailure(report.failure);
process.exitCode = report.failure === undefined ? 0 : 1;
