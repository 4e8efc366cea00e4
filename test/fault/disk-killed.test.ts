import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise } from '../../bench/make-png.ts';
import { bytesOf } from '../contract/tier.contract.ts';
import { createDiskBench, type DiskBench } from '../fixtures/disk-folder.ts';
import { nobody } from '../fixtures/signals.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';

const WRITER = fileURLToPath(new URL('../fixtures/disk-writer.js', import.meta.url));
/** Side by side, each with a folder of its own, which it inherits from kill to kill. */
const LANES = 3;
const KILLS_PER_LANE = 30;
const KILLS_OF_SERVER = 10;
const KEYS = 40;
const SLOW_MS = 120_000;

const sleep = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Of one key: the number that was accepted last, and those that were handed over after it. */
type Allowed = Map<number, number[]>;

function learn(said: string, allowed: Allowed): void {
  for (const line of said.split('\n').slice(0, -1)) {
    const number = Number(line.slice(1));
    const key = number % KEYS;
    if (line.startsWith('+')) allowed.set(key, [...(allowed.get(key) ?? []), number]);
    if (line.startsWith('='))
      allowed.set(
        key,
        (allowed.get(key) ?? []).filter((other) => other >= number),
      );
  }
}

async function killOnce(dir: string, from: number, afterMs: number): Promise<string> {
  const child = spawn(process.execPath, [WRITER, dir, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(child.stdout, 'data');
  await sleep(afterMs);
  child.kill('SIGKILL');
  await once(child, 'close');
  return said.slice(said.indexOf('\n') + 1);
}

/** What a new run finds: whole files, each of a number that its key may have, and nothing half-written. */
async function verify(bench: DiskBench, allowed: Allowed, accepted: ReadonlySet<number>): Promise<void> {
  const tier = await bench.open();
  expect(await bench.temps()).toEqual([]);
  expect(tier.stats().entries).toBe((await bench.files()).length);
  for (const [key, numbers] of allowed) {
    const stored = await tier.get(`image:${key}`, nobody);
    if (stored === undefined && numbers.every((number) => !accepted.has(number))) continue;
    if (stored === undefined) throw new Error(`image:${key} was accepted and is lost`);
    const bytes = Buffer.from(await bytesOf(stored));
    const number = bytes.readUInt32BE(0);
    expect(numbers).toContain(number);
    expect(bytes.subarray(4).every((byte) => byte === number % 251)).toBe(true);
  }
  await tier.close();
}

async function runLane(lane: number): Promise<number> {
  const bench = await createDiskBench();
  const allowed: Allowed = new Map();
  const accepted = new Set<number>();
  const random = noise(KILLS_PER_LANE, 4711 + lane);
  try {
    for (let round = 0; round < KILLS_PER_LANE; round += 1) {
      const said = await killOnce(bench.dir, round * 10_000, (random[round] ?? 0) / 4);
      learn(said, allowed);
      for (const [, number] of said.matchAll(/^=(\d+)$/gm)) accepted.add(Number(number));
      await verify(bench, allowed, accepted);
    }
  } finally {
    await bench.dispose();
  }
  return accepted.size;
}

describe('a writer of the disk tier that is killed', () => {
  it('leaves all that was accepted, exact, at ninety moments', { timeout: SLOW_MS }, async () => {
    const written = await Promise.all(Array.from({ length: LANES }, async (_, lane) => runLane(lane)));
    expect(Math.min(...written)).toBeGreaterThan(KEYS);
  });
});

describe('Disk: killed while writing', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer({ MEMORY_CACHE_IMAGES: '8', WARM_FROM_DISK: 'false' });
  });
  afterAll(async () => server.close());

  it('the server has all that it accepted, at ten moments', { timeout: SLOW_MS }, async () => {
    const random = noise(KILLS_OF_SERVER, 4711);
    await proveFault(server, {
      name: 'Disk: kill -9 while writing',
      how: `${KILLS_OF_SERVER} times the server, ${LANES * KILLS_PER_LANE} times a bare writer`,
      mayBreak: true,
      async inject({ load }) {
        for (const byte of random) {
          await load.more(10 + (byte % 20));
          await sleep(byte % 16);
          server.kill('SIGKILL');
          await server.restart();
        }
      },
    });
  });
});
