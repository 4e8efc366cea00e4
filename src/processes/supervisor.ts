/**
 * The parent of several processes: starts them, waits until all listen, starts again what ends, and ends
 * with them. It serves nothing itself. How a process is made is handed in.
 */
import type { Log } from '../observe/log.ts';
import { createMember, endMembers, type Member } from './member.ts';
import type { Child, Ending } from './message.ts';
import { createRestartPolicy, type RestartOptions } from './restart-policy.ts';
import type { Switchboard } from './switchboard.ts';
import { watch, type WatchdogOptions } from './watchdog.ts';

export interface SupervisorOptions {
  readonly count: number;
  readonly startTimeoutMs: number;
  /** Who still runs this long after being told to stop is killed. */
  readonly stopTimeoutMs: number;
  readonly restart: RestartOptions;
  readonly watchdog: WatchdogOptions;
}

export interface SupervisorDeps<R> {
  readonly spawn: (process: number) => Child<R>;
  readonly switchboard: Switchboard<R>;
  readonly nowMs: () => number;
  readonly log: Pick<Log, 'error' | 'fatal'>;
  /** All of them listen there. */
  readonly onListening: (url: string) => void;
}

function isClean({ code, signal }: Ending): boolean {
  // A terminal sends its signal to all: one that was still starting dies of it, which is what was asked.
  return code === 0 || signal === 'SIGINT' || signal === 'SIGTERM';
}

/** Runs until `stop` aborts (exit code 0), or until going on is pointless (not 0). */
export async function supervise<R>(
  options: SupervisorOptions,
  deps: SupervisorDeps<R>,
  stop: AbortSignal,
): Promise<number> {
  const { switchboard, log, nowMs } = deps;
  const policy = createRestartPolicy(options.restart);
  const members = new Map<number, Member<R>>();
  const broken = new AbortController();
  const over = AbortSignal.any([stop, broken.signal]);
  let code = 0;

  function start(process: number): Member<R> {
    const child = deps.spawn(process);
    switchboard.join(process, child);
    const member = createMember(process, child, { startTimeoutMs: options.startTimeoutMs, nowMs, log });
    members.set(process, member);
    const onHung = (): void => {
      // While stopping it has the deadline of that.
      if (over.aborted) return;
      log.error({ process, pid: child.pid }, 'a process hangs: killing it');
      child.kill('SIGKILL');
    };
    void member.listening.then((url) => url !== undefined && watch(child, options.watchdog, onHung));
    return member;
  }

  function fail(reason: string, process: number, exitCode: number): void {
    if (over.aborted) return;
    log.fatal({ process }, reason);
    code = exitCode;
    broken.abort();
  }

  /** Starts it again each time that it ends. */
  async function tend(first: Member<R>): Promise<void> {
    const { process } = first;
    for (let member = first; ; member = start(process)) {
      const ending = await member.child.ended;
      switchboard.leave(process);
      if (over.aborted) return;
      members.delete(process);
      const delayMs = policy.ended(process, nowMs() - member.startedAtMs);
      if (delayMs === undefined) return fail('a process ends again and again: ending all', process, 1);
      const { pid } = member.child;
      log.error({ process, pid, ...ending, delayMs }, 'a process ended: it is started again');
      await pause(delayMs, over);
      if (over.aborted) return;
      switchboard.onRestart();
    }
  }

  async function startAll(): Promise<string | undefined> {
    // Alone at first: what keeps one from starting is then said once.
    const first = start(1);
    const url = await first.listening;
    if (url === undefined) return notStarted(first);
    if (over.aborted) return undefined;
    const rest = Array.from({ length: options.count - 1 }, (_, index) => start(index + 2));
    for (const member of rest) if ((await member.listening) === undefined) return notStarted(member);
    return over.aborted ? undefined : url;
  }

  async function notStarted({ process, child }: Member<R>): Promise<undefined> {
    const ending = await child.ended;
    fail('a process could not start: ending all', process, ending.code === 0 ? 1 : (ending.code ?? 1));
  }

  const endings = aborted(over).then(() => endMembers([...members.values()], options.stopTimeoutMs, log));
  const url = await startAll();
  if (url !== undefined) {
    deps.onListening(url);
    for (const member of members.values()) void tend(member);
  }
  const areClean = (await endings).every(isClean);
  return code === 0 && !areClean ? 1 : code;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), delayMs);
  await aborted(AbortSignal.any([signal, waiting.signal]));
  clearTimeout(timer);
}
