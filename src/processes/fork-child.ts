/** A process of this program, started by node:child_process: the parent's end of the channel to it. */
import { fork } from 'node:child_process';
import type { Child, Ending, FromChild } from './message.ts';

export interface ForkOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function forkChild<R>(options: ForkOptions): Child<R> {
  const { program, args, env } = options;
  // Advanced: as JSON, a NaN or an infinity among the readings would become null.
  const child = fork(program, [...args], { env, stdio: 'inherit', serialization: 'advanced' });
  const killWithParent = (): void => void child.kill('SIGKILL');
  process.on('exit', killWithParent);
  const ended = new Promise<Ending>((resolve) => {
    const settle = (code: number | null, signal: NodeJS.Signals | null): void => {
      process.off('exit', killWithParent);
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
