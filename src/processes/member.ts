/** One start of one process: from being made to listening, or to its end before that. */
import type { Log } from '../observe/log.ts';
import type { Child, Ending } from './message.ts';

export interface Member<R> {
  readonly process: number;
  readonly child: Child<R>;
  readonly startedAtMs: number;
  /** Its address. Undefined: it ended before, or was killed for taking too long. */
  readonly listening: Promise<string | undefined>;
}

export interface MemberOptions {
  readonly startTimeoutMs: number;
  readonly nowMs: () => number;
  readonly log: Pick<Log, 'error'>;
}

export function createMember<R>(process: number, child: Child<R>, options: MemberOptions): Member<R> {
  const { startTimeoutMs, nowMs, log } = options;
  const listening = new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => {
      log.error({ process, pid: child.pid }, 'a process took too long to start: killing it');
      child.kill('SIGKILL');
    }, startTimeoutMs);
    const settle = (url: string | undefined): void => {
      clearTimeout(timer);
      resolve(url);
    };
    child.onMessage((message) => message.type === 'listening' && settle(message.url));
    void child.ended.then(() => settle(undefined));
  });
  return { process, child, startedAtMs: nowMs(), listening };
}

/** Tells all to stop, and kills who still runs at the deadline. How each ended. */
export async function endMembers<R>(
  members: readonly Member<R>[],
  timeoutMs: number,
  log: Pick<Log, 'error'>,
): Promise<readonly Ending[]> {
  for (const { child } of members) child.send({ type: 'stop' });
  const timer = setTimeout(() => {
    log.error('a process did not stop in time: killing what is left');
    for (const { child } of members) child.kill('SIGKILL');
  }, timeoutMs);
  const endings = await Promise.all(members.map(async ({ child }) => child.ended));
  clearTimeout(timer);
  return endings;
}
