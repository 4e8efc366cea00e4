import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { planProcesses, shareOf } from '../../../src/config/plan-processes.ts';

const HOST = { platform: 'linux', cores: 4 };
const REDIS = { REDIS_ENABLED: 'true' };

test('one process unless told otherwise, and nothing to say about it', () => {
  expect(planProcesses(loadConfig({}), HOST)).toEqual({ count: 1 });
  expect(planProcesses(loadConfig({ PROCESSES: '1', ...REDIS }), HOST)).toEqual({ count: 1 });
  expect(planProcesses(loadConfig({ PROCESSES: '' }), HOST)).toEqual({ count: 1 });
});

test('a number is that many, auto is one a core', () => {
  expect(planProcesses(loadConfig({ PROCESSES: '3', ...REDIS }), HOST)).toEqual({ count: 3 });
  expect(planProcesses(loadConfig({ PROCESSES: 'auto', ...REDIS }), HOST)).toEqual({ count: 4 });
});

test.each([
  ['without Redis', {}, HOST, 'REDIS_ENABLED is false'],
  ['where ports are not shared', REDIS, { ...HOST, platform: 'darwin' }, 'only Linux'],
  ['on one core', REDIS, { ...HOST, cores: 1 }, 'one core'],
])('%s it stays at one and says why', (_, env, host, reason) => {
  const { count, why } = planProcesses(loadConfig({ PROCESSES: 'auto', ...env }), host);
  expect(count).toBe(1);
  expect(why).toContain(reason);
});

test.each(['0', '65', '1.5', 'many'])('PROCESSES=%s is refused, with what is expected', (text) => {
  expect(() => loadConfig({ PROCESSES: text })).toThrow(
    `PROCESSES is "${text}": expected auto, or a whole number from 1 to 64 (processes)`,
  );
});

test('budgets are divided, never below what the whole is', () => {
  const config = loadConfig({ ...REDIS, MEMORY_CACHE_MB: '100', CACHE_SIZE_MB: '10', WORKER_THREADS: '4' });
  const shares = [1, 2, 3].map((number) => shareOf(config, number, 3, 8));
  for (const name of ['MEMORY_CACHE_MB', 'CACHE_SIZE_MB', 'WORKER_THREADS', 'MEMORY_CACHE_IMAGES'] as const) {
    const sum = shares.reduce((total, share) => total + share[name], 0);
    expect(sum, name).toBeGreaterThanOrEqual(config[name]);
    expect(sum, name).toBeLessThan(config[name] + 3);
  }
  expect(shares[0]).toMatchObject({ PORT: config.PORT, HISTORY_MB: config.HISTORY_MB });
});

test('a process has two threads where nobody said how many, else its part of them', () => {
  expect(shareOf(loadConfig(REDIS), 1, 4, 4).WORKER_THREADS).toBe(2);
  expect(shareOf(loadConfig(REDIS), 1, 2, 16).WORKER_THREADS).toBe(8);
  expect(shareOf(loadConfig({ ...REDIS, WORKER_THREADS: '2' }), 1, 4, 4).WORKER_THREADS).toBe(1);
});

test('an upload of the largest size fits into the part of each', () => {
  const config = loadConfig({ ...REDIS, UPLOAD_BUDGET_MB: '64', MAX_IMAGE_MB: '32' });
  expect(shareOf(config, 1, 8, 8).UPLOAD_BUDGET_MB).toBe(64);
});

test('no two processes count the same folder', () => {
  const config = loadConfig({ ...REDIS, CACHE_DIR: '/cache' });
  const dirs = [1, 2, 3].map((number) => shareOf(config, number, 3, 4).CACHE_DIR);
  expect(dirs).toEqual(['/cache', '/cache/process-2', '/cache/process-3']);
  expect(shareOf(loadConfig({ ...REDIS, CACHE_DIR: '' }), 2, 3, 4).CACHE_DIR).toBe('');
});
