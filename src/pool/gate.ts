/**
 * A bounded first-in first-out semaphore. Whoever waits leaves the line when its signal aborts; when
 * the line is full the next one is turned away at once. Knows nothing of what it guards.
 */
import { AppError, type ErrorCode } from '../errors.ts';

export interface Gate {
  /** Resolves, in the order of arrival, to what gives the slot back: call it in a `finally`. */
  acquire(signal: AbortSignal): Promise<() => void>;
  running(): number;
  waiting(): number;
  /** Turns away who waits and who comes; who holds a slot keeps it. */
  close(code: ErrorCode): void;
}

interface Waiter {
  admit(): void;
  refuse(error: AppError): void;
}

export function createGate(slots: number, queueLimit: number): Gate {
  /** A Set keeps the order of insertion and removes from the middle in constant time. */
  const line = new Set<Waiter>();
  let running = 0;
  let closedWith: ErrorCode | undefined;

  function leaveOnce(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const [next] = line;
      // The slot passes on without becoming free in between, so nobody can slip in before the line.
      if (next === undefined) running -= 1;
      else next.admit();
    };
  }

  function wait(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leaveLine = () => {
        line.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        admit: () => {
          leaveLine();
          resolve(leaveOnce());
        },
        refuse: (error) => {
          leaveLine();
          reject(error);
        },
      };
      const onAbort = () => waiter.refuse(new AppError('request_aborted'));
      signal.addEventListener('abort', onAbort);
      line.add(waiter);
    });
  }

  return {
    async acquire(signal) {
      if (closedWith !== undefined) throw new AppError(closedWith);
      if (signal.aborted) throw new AppError('request_aborted');
      if (running >= slots) {
        if (line.size >= queueLimit) throw new AppError('overloaded');
        return wait(signal);
      }
      running += 1;
      return leaveOnce();
    },
    running: () => running,
    waiting: () => line.size,
    close(code) {
      closedWith = code;
      for (const waiter of line) waiter.refuse(new AppError(code));
    },
  };
}
