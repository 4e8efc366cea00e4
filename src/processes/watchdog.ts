/**
 * Finds a process that hangs: the kernel goes on giving it connections, and a probe of the port mostly
 * meets another one. Questions without an answer are counted, not time: after the machine has slept
 * nobody is at fault.
 */
import type { Child } from './message.ts';

export interface WatchdogOptions {
  readonly everyMs: number;
  readonly missedMax: number;
}

/** Asks until the process has ended; `onHung` once, when too many questions in a row had no answer. */
export function watch<R>(child: Child<R>, options: WatchdogOptions, onHung: () => void): void {
  let missed = 0;
  child.onMessage((message) => {
    if (message.type === 'pong') missed = 0;
  });
  const timer = setInterval(() => {
    if (missed >= options.missedMax) {
      clearInterval(timer);
      onHung();
      return;
    }
    missed += 1;
    child.send({ type: 'ping' });
  }, options.everyMs);
  void child.ended.then(() => clearInterval(timer));
}
