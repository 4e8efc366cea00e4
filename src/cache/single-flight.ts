/**
 * One lookup per key at a time: who asks while it is under way shares its result. The lookup is aborted
 * only when all of them have left, and learns whether what it found was invalidated meanwhile.
 */
import { carryTrace } from '../core/trace-context.ts';
import { abortable } from './abortable.ts';

export interface Flight {
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  /**
   * False: since this flight began its key, or one of `others`, was invalidated: what was read may be
   * old, and must not be stored. May say false without need, never true.
   */
  mayStore(others?: readonly string[]): boolean;
}

export interface Landed<T> {
  readonly value: T;
  /** Another caller's flight brought it. */
  readonly collapsed: boolean;
}

export interface SingleFlight<T> {
  run(key: string, signal: AbortSignal, work: (flight: Flight) => Promise<T>): Promise<Landed<T>>;
  /** Whoever asks from now on gets a flight of its own; one under way brings its result, unstored. */
  invalidate(key: string): void;
  invalidateAll(): void;
  size(): number;
}

export interface SingleFlightOptions {
  /**
   * A flight of this age is not joined any more: whoever asks then starts the next one, and the leader
   * that hangs holds up only those who came with it (nginx's proxy_cache_lock_age).
   */
  readonly ageMs: number;
  readonly nowMs: () => number;
}

interface Running<T> {
  readonly startedMs: number;
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
  done: boolean;
}

/** Invalidated keys that are remembered while flights are under way; beyond, all of them count as invalidated. */
const TOUCHED_KEYS_MAX = 10_000;

const NEVER_TOO_OLD: SingleFlightOptions = { ageMs: Number.POSITIVE_INFINITY, nowMs: () => 0 };

export function createSingleFlight<T>({ ageMs, nowMs } = NEVER_TOO_OLD): SingleFlight<T> {
  const open = new Map<string, Running<T>>();
  /** Flights that may store; an invalidated one leaves at once, its waiters do not. */
  const valid = new Set<AbortSignal>();
  const touched = new Set<string>();

  function start(key: string, work: (flight: Flight) => Promise<T>): Running<T> {
    const controller = new AbortController();
    const { signal } = controller;
    valid.add(signal);
    const mayStore = (others: readonly string[] = []): boolean =>
      valid.has(signal) && !others.some((other) => touched.has(other));
    const fly = async (): Promise<T> => {
      // From the next microtask on: the map is filled before.
      await undefined;
      try {
        return await work({ signal, mayStore });
      } finally {
        running.done = true;
        close(key, signal);
      }
    };
    const result = fly();
    result.catch(() => undefined);
    const running: Running<T> = { startedMs: nowMs(), result, controller, waiting: 0, done: false };
    open.set(key, running);
    return running;
  }

  function close(key: string, signal: AbortSignal): void {
    if (open.get(key)?.controller.signal === signal) open.delete(key);
    valid.delete(signal);
    if (valid.size === 0) touched.clear();
  }

  async function run(
    key: string,
    signal: AbortSignal,
    work: (flight: Flight) => Promise<T>,
  ): Promise<Landed<T>> {
    signal.throwIfAborted();
    const underWay = open.get(key);
    const isTooOld = underWay !== undefined && nowMs() - underWay.startedMs >= ageMs;
    // Its waiters get what it brings; that is not stored, since invalidations reach only the newest.
    if (isTooOld) close(key, underWay.controller.signal);
    const joined = isTooOld ? undefined : underWay;
    const running = joined ?? start(key, work);
    // Who began it is whom its calls are made for.
    if (joined === undefined) carryTrace(signal, running.controller.signal);
    running.waiting += 1;
    try {
      return { value: await abortable(running.result, signal), collapsed: joined !== undefined };
    } finally {
      running.waiting -= 1;
      // Closed first: nobody may join a flight that is being aborted.
      if (running.waiting === 0 && !running.done) {
        close(key, running.controller.signal);
        running.controller.abort();
      }
    }
  }

  function invalidate(key: string): void {
    if (valid.size === 0) return;
    const running = open.get(key);
    if (running !== undefined) close(key, running.controller.signal);
    if (valid.size === 0) return;
    if (touched.size >= TOUCHED_KEYS_MAX) invalidateAll();
    else touched.add(key);
  }

  function invalidateAll(): void {
    open.clear();
    valid.clear();
    touched.clear();
  }

  return { run, invalidate, invalidateAll, size: () => valid.size };
}
