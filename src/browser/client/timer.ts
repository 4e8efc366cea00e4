/** One timeout that is set anew rather than twice. */

export interface Timer {
  set(ms: number): void;
  clear(): void;
}

export function createTimer(run: () => void): Timer {
  let handle: ReturnType<typeof setTimeout> | undefined;
  const clear = (): void => clearTimeout(handle);
  return {
    clear,
    set(ms) {
      clear();
      handle = setTimeout(run, ms);
    },
  };
}
