/**
 * One AbortSignal for a call that must both begin and go on in time: it aborts when the caller's does,
 * or when nothing has happened for `stallMs`. Knows nothing of what is called.
 */
import { carryTrace } from './trace-context.ts';

export interface Deadline {
  readonly signal: AbortSignal;
  /** Something happened: the time starts again. */
  touch(): void;
  /** Stops the time while it is not the other side that is waited for. */
  pause(): void;
  /** Whether it was the time that aborted, not the caller. */
  hasPassed(): boolean;
  /** The call ended well: lets go of the caller's signal. */
  release(): void;
  /** Ends it, aborting whatever still hangs on the signal; nothing after a release. */
  abort(): void;
}

export function createDeadline(stallMs: number, outer: AbortSignal): Deadline {
  const controller = new AbortController();
  let passed = false;
  let timer: NodeJS.Timeout | undefined;
  const give = (): void => controller.abort();
  const pass = (): void => {
    passed = true;
    controller.abort();
  };
  const pause = (): void => clearTimeout(timer);
  const touch = (): void => {
    clearTimeout(timer);
    timer = setTimeout(pass, stallMs);
  };
  let released = false;
  const release = (): void => {
    released = true;
    pause();
    outer.removeEventListener('abort', give);
  };
  carryTrace(outer, controller.signal);
  if (outer.aborted) give();
  else outer.addEventListener('abort', give, { once: true });
  touch();
  return {
    signal: controller.signal,
    touch,
    pause,
    hasPassed: () => passed,
    release,
    abort() {
      if (released) return;
      release();
      give();
    },
  };
}
