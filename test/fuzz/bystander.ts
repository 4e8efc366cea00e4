/** Somebody who asks for one hot image ten times a second while others do their worst. */
import { Agent, get } from 'node:http';

export interface Bystander {
  /** What was wrong with an answer, the first time; '' while all is well. */
  wrong(): string;
  worstMs(): number;
  /** Nine of ten were faster. */
  usualMs(): number;
  stop(): Promise<void>;
}

const INTERVAL_MS = 100;
const DEADLINE_MS = 20_000;

export function startBystander(url: string, bytes: Uint8Array): Bystander {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  let wrong = '';
  let stopped = false;

  const ask = async (): Promise<string> =>
    new Promise((resolve) => {
      const request = get(url, { agent, timeout: DEADLINE_MS }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () => {
          const isRight = response.statusCode === 200 && Buffer.concat(pieces).equals(bytes);
          resolve(isRight ? '' : `the bystander got ${response.statusCode}, or other bytes`);
        });
      });
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', (error) => resolve(`the bystander: ${error.message}`));
    });

  async function run(): Promise<void> {
    while (!stopped) {
      const startedMs = performance.now();
      const found = await ask();
      times.push(performance.now() - startedMs);
      if (wrong === '' && !stopped) wrong = found;
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }

  const running = run();
  return {
    wrong: () => wrong,
    worstMs: () => Math.max(0, ...times),
    usualMs: () => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.9)] ?? 0,
    async stop() {
      stopped = true;
      await running;
      agent.destroy();
    },
  };
}
