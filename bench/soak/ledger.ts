/**
 * What the server may answer: for each id the bytes that were accepted, from when until when. It knows
 * nothing of requests; whoever makes them says what was sent and what became of it.
 */

/** undefined: there is nothing under the id. */
export type Digest = string | undefined;

export interface Write {
  /** Accepted: from now on nothing older may be served. `mayVanish`: it lies where it may be evicted for good. */
  accepted(mayVanish?: boolean): void;
  /** Refused: as if it had never been. */
  refused(): void;
  /** Nobody can tell whether it was accepted. */
  unknown(): void;
}

export interface Ledger {
  /** Undefined while another write of this id is under way. */
  begin(id: string, digest: Digest, ttlMs?: number): Write | undefined;
  /** Whether an answer to a request that began at `askedMs` may be this. */
  mayBe(id: string, digest: Digest, askedMs: number): boolean;
  /** The only thing that it may be; `unsure` when there are several. */
  sureOf(id: string): Digest | 'unsure';
  ids(): IterableIterator<string>;
}

interface State {
  readonly digest: Digest;
  /** Something newer was accepted then. */
  supersededMs: number;
  readonly expiresMs: number;
}

interface Kept {
  states: State[];
  busy: boolean;
}

/** A ttl begins when the image is kept, which is somewhere between the request and its answer. */
const TTL_SLACK_MS = 1500;
/** Longer than any request lasts. */
const FORGET_MS = 120_000;
const NEVER = Number.POSITIVE_INFINITY;

export function createLedger(nowMs: () => number): Ledger {
  const kept = new Map<string, Kept>();

  function of(id: string): Kept {
    const known = kept.get(id);
    if (known !== undefined) return known;
    const fresh = { states: [{ digest: undefined, supersededMs: NEVER, expiresMs: NEVER }], busy: false };
    kept.set(id, fresh);
    return fresh;
  }

  function supersede(row: Kept, by: State): void {
    const now = nowMs();
    for (const state of row.states)
      if (state !== by && state.supersededMs === NEVER) state.supersededMs = now;
    row.states = row.states.filter(({ supersededMs }) => supersededMs > now - FORGET_MS);
  }

  return {
    begin(id, digest, ttlMs) {
      const row = of(id);
      if (row.busy) return undefined;
      row.busy = true;
      // While it is under way it may be served, and so may be what was there before.
      const state: State = { digest, supersededMs: NEVER, expiresMs: NEVER };
      row.states.push(state);
      const replace = (by: readonly State[]): void => {
        row.states = [...row.states.filter((each) => each !== state), ...by];
      };
      const done = (): void => void (row.busy = false);
      return {
        accepted(mayVanish = false) {
          done();
          supersede(row, state);
          if (ttlMs === undefined && !mayVanish) return;
          const expiresMs = ttlMs === undefined ? NEVER : nowMs() + ttlMs + TTL_SLACK_MS;
          replace([
            { ...state, expiresMs },
            { digest: undefined, supersededMs: NEVER, expiresMs: NEVER },
          ]);
        },
        refused() {
          done();
          replace([{ ...state, supersededMs: nowMs() }]);
        },
        unknown: done,
      };
    },
    mayBe: (id, digest, askedMs) =>
      of(id).states.some(
        (state) => state.digest === digest && state.supersededMs >= askedMs && state.expiresMs >= askedMs,
      ),
    sureOf(id) {
      const now = nowMs();
      const possible = of(id).states.filter(
        (state) => state.supersededMs === NEVER && state.expiresMs >= now,
      );
      return possible.length === 1 ? possible[0]?.digest : 'unsure';
    },
    ids: () => kept.keys(),
  };
}
