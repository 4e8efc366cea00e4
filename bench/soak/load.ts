/** Actions drawn by their weight, so many a second, no more than so many at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Action, Stage, Weighted } from './stage.ts';

export interface Load {
  stop(): Promise<void>;
}

const TICK_MS = 10;
/** More than this behind is let go: a soak must go on as long as the machine is slow. */
const BEHIND_MAX = 50;

function chooser(weighted: Weighted, stage: Stage): () => Action {
  const total = weighted.reduce((sum, [weight]) => sum + weight, 0);
  return () => {
    let at = stage.draw.next() * total;
    for (const [weight, , action] of weighted) {
      at -= weight;
      if (at < 0) return action;
    }
    throw new Error('the weights of the load do not add up');
  };
}

export function startLoad(stage: Stage, weighted: Weighted, perSecond: number, atOnce: number): Load {
  const choose = chooser(weighted, stage);
  const underWay = new Set<Promise<void>>();
  let isStopping = false;

  function begin(): void {
    const running: Promise<void> = choose()(stage)
      .catch((error: unknown) => stage.tally.wrong(`an action broke: ${String(error)}`))
      .finally(() => underWay.delete(running));
    underWay.add(running);
  }

  const run = async (): Promise<void> => {
    let due = 0;
    for (let lastMs = performance.now(); !isStopping; await sleep(TICK_MS)) {
      const nowMs = performance.now();
      due = Math.min(BEHIND_MAX, due + ((nowMs - lastMs) / 1000) * perSecond);
      lastMs = nowMs;
      for (; due >= 1 && underWay.size < atOnce; due -= 1) begin();
    }
    await Promise.all(underWay);
  };
  const running = run();
  return {
    async stop() {
      isStopping = true;
      await running;
    },
  };
}
