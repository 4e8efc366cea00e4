/**
 * So many requests a second for one address until stopped, open loop: a request's time counts from when
 * it was due, so that a server that stands still is seen in each request that it kept waiting.
 */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Steady {
  stop(): Promise<{
    readonly count: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly mostMs: number;
  }>;
}

const SOCKETS = 32;

async function ask(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      response.resume();
      response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(url))));
    });
    request.once('error', reject);
  });
}

export function startSteady(url: string, perSecond: number): Steady {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const tookMs: number[] = [];
  const open = new Set<Promise<void>>();
  let isStopped = false;

  const offer = (dueMs: number): void => {
    const asked = ask(url, agent).then(() => {
      tookMs.push(performance.now() - dueMs);
      open.delete(asked);
    });
    open.add(asked);
  };

  async function run(): Promise<void> {
    const startMs = performance.now();
    for (let sent = 0; !isStopped; sent += 1) {
      const dueMs = startMs + (sent * 1000) / perSecond;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      offer(Math.max(dueMs, startMs));
    }
    await Promise.all(open);
  }

  const running = run();
  running.catch(() => undefined);
  return {
    async stop() {
      isStopped = true;
      await running;
      agent.destroy();
      const sorted = tookMs.toSorted((a, b) => a - b);
      const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
      return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), mostMs: at(1) };
    },
  };
}
