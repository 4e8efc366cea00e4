/** The one way to ask for the time, so that tests can hold it. */

export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
}

/** When something was, or will be over: it goes by the wall clock, which somebody may set. */
export const systemClock: Clock = { nowMs: () => Date.now() };

/** How long something lasts: since some moment, and never set. A pause must not become a day. */
export const steadyClock: Clock = { nowMs: () => performance.now() };
