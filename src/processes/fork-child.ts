/** A process of this program, started by node:child_process: the parent's end of the channel to it. */
import { fork, type ChildProcess } from 'node:child_process';
import type { Child, Ending, FromChild } from './message.ts';

export interface ForkOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

const running = new Set<ChildProcess>();

/** However this process ends, short of being killed itself: none of them stays behind. */
function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export function forkChild<R>(options: ForkOptions): Child<R> {
  const { program, args, env } = options;
  // Advanced: as JSON, a NaN or an infinity among the readings would become null.
  const child = fork(program, [...args], { env, stdio: 'inherit', serialization: 'advanced' });
  if (running.size === 0) process.once('exit', killAll);
  running.add(child);
  const ended = new Promise<Ending>((resolve) => {
    const settle = (code: number | null, signal: NodeJS.Signals | null): void => {
      running.delete(child);
      if (running.size === 0) process.off('exit', killAll);
      resolve({ code, signal });
    };
    child.once('exit', settle);
    // Without a process there is no exit.
    child.on('error', () => child.pid === undefined && settle(1, null));
  });

  return {
    pid: child.pid ?? 0,
    ended,
    send(message) {
      // It may end between the question and the answer: whoever waits has a deadline.
      if (child.connected) child.send(message, () => undefined);
    },
    // The other end is this program: what it sends has the type that it says.
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromChild<R>)),
    kill: (signal) => void child.kill(signal),
  };
}
