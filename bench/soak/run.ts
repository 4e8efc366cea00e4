/**
 * `npm run soak`: the real server under mixed load with faults, every answer checked, memory watched.
 * `-- --help` says how. Ends with 1 when anything was wrong.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, whichTool } from '../machine.ts';
import { makeBodies } from './bodies.ts';
import { failuresOf, summaryOf } from './judge.ts';
import { plotMemory } from './plot.ts';
import { plansOf } from './plans.ts';
import { soak, type Outcome } from './soak.ts';

const HELP = `npm run soak -- [--minutes N] [--seed N] [--rate N] [--redis | --no-redis] [--squeeze] [--out folder]

  --minutes    how long, all parts together (30)
  --seed       which lots are drawn (1)
  --rate       requests a second (120)
  --redis      only over Redis; --no-redis: only over the disk; neither: one after the other, then --squeeze
  --squeeze    only the load that pushes every budget at once, with small settings
  --out        where JSON and plots go (soak-results)
`;

function write(outcome: Outcome, folder: string, machine: unknown): void {
  mkdirSync(folder, { recursive: true });
  const { plan, samples, marks, warmMs, slope, ceiling } = outcome;
  const failures = failuresOf(outcome);
  const file = join(folder, plan.name);
  writeFileSync(`${file}.json`, `${JSON.stringify({ machine, failures, ...outcome }, null, 1)}\n`);
  const title = `Soak, ${plan.name}: resident memory`;
  writeFileSync(`${file}.svg`, plotMemory({ title, samples, marks, warmMs, slope, ceilingMib: ceiling.mib }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      minutes: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      rate: { type: 'string', default: '120' },
      redis: { type: 'boolean' },
      squeeze: { type: 'boolean' },
      out: { type: 'string', default: 'soak-results' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const hasRedis = whichTool('redis-server') !== undefined;
  if (!hasRedis && values.redis !== false)
    process.stdout.write('There is no redis-server here: the disk tier alone is soaked.\n');
  const plans = plansOf({
    minutes: Number(values.minutes),
    seed: Number(values.seed),
    perSecond: Number(values.rate),
    redis: values.redis,
    squeeze: values.squeeze === true,
    hasRedis,
  });
  const machine = describeMachine();
  const bodies = await makeBodies();
  let hasFailed = false;
  for (const plan of plans) {
    const dir = mkdtempSync(join(tmpdir(), `afterimage-soak-${plan.name}-`));
    try {
      const outcome = await soak(plan, dir, bodies, (line) => void process.stdout.write(`${line}\n`));
      write(outcome, values.out, machine);
      process.stdout.write(`${summaryOf(outcome)}\n`);
      if (failuresOf(outcome).length > 0) {
        hasFailed = true;
        process.stdout.write(`the last it logged:\n${outcome.log}\n`);
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  process.stdout.write(`Written to ${values.out}\n`);
  process.exitCode = hasFailed ? 1 : 0;
}

process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
await main();
