/** How long to wait before a connection is tried again. Chance is handed in, so that tests can. */
import type { LinkEnd } from './link.ts';

const CEILING_MS = 30_000;

export interface Patience {
  /** The server's `retry:`. */
  setBase(ms: number): void;
  /** Something came: the next wait is a short one again. */
  reset(): void;
  nextMs(end: LinkEnd): number;
}

/**
 * Doubles with each attempt up to a ceiling; the upper half is left to chance, so that a thousand pages
 * that lost the same server do not come back in the same second. Never below what the server asked for.
 */
export function createPatience(chance: () => number = Math.random): Patience {
  let baseMs = 1000;
  let attempt = 0;
  return {
    setBase(ms) {
      baseMs = Math.min(Math.max(ms, 100), CEILING_MS);
    },
    reset() {
      attempt = 0;
    },
    nextMs({ reason, afterMs = 0 }) {
      // The server's housekeeping: come back at once, though not all in one moment.
      if (reason === 'lifetime') return chance() * baseMs;
      const grownMs = Math.min(CEILING_MS, baseMs * 2 ** attempt);
      attempt = Math.min(attempt + 1, 10);
      return Math.max(afterMs, grownMs / 2) + (chance() * grownMs) / 2;
    },
  };
}
