import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { png } from '../fixtures/images.ts';
import { serveCli } from '../fixtures/run-cli.ts';

/** Field 19 of proc(5)'s stat; the name in field 2 may hold spaces. */
function niceOf(path: string): number {
  const text = readFileSync(path, 'latin1');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[16]);
}

test.each([
  ['a little, where nothing is said', {}, 5],
  ['as far as WORKER_NICE says', { WORKER_NICE: '12' }, 12],
])(
  'threads that decode give way to the loop that serves, %s; elsewhere than on Linux it starts all the same',
  async (_name, settings, nice) => {
    const server = await serveCli({ WORKER_THREADS: '2', UV_THREADPOOL_SIZE: '3', ...settings });
    try {
      const body = await png();
      const { status } = await fetch(`${server.url}/images/a`, { method: 'PUT', body });
      expect(status).toBe(201);
      const tasks = `/proc/${server.pid}/task`;
      if (!existsSync(tasks)) return;
      const niced = readdirSync(tasks).filter((thread) => niceOf(`${tasks}/${thread}/stat`) === nice);
      expect(niceOf(`/proc/${server.pid}/stat`)).toBe(0);
      // Three of libuv's and two workers at least; libvips has some of its own.
      expect(niced.length).toBeGreaterThanOrEqual(5);
    } finally {
      await server.close();
    }
  },
);
