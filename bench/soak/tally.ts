/** What became of every request, by kind; what was wrong, in words. */

export interface Tally {
  count(kind: string, outcome: string | number): void;
  /** A fault of the server's; the first of them are kept in words. */
  wrong(what: string): void;
  readonly requests: number;
  readonly wrongs: number;
  /** Kind, outcome, how many. */
  readonly rows: () => readonly (readonly [kind: string, outcome: string, count: number])[];
  readonly words: readonly string[];
}

const WORDS_MAX = 50;

export function createTally(): Tally {
  const counts = new Map<string, Map<string, number>>();
  const words: string[] = [];
  let requests = 0;
  let wrongs = 0;
  return {
    count(kind, outcome) {
      requests += 1;
      const row = counts.get(kind) ?? new Map<string, number>();
      counts.set(kind, row);
      row.set(String(outcome), (row.get(String(outcome)) ?? 0) + 1);
    },
    wrong(what) {
      wrongs += 1;
      if (words.length < WORDS_MAX) words.push(what);
    },
    get requests() {
      return requests;
    },
    get wrongs() {
      return wrongs;
    },
    rows: () =>
      [...counts]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .flatMap(([kind, row]) =>
          [...row].toSorted().map(([outcome, count]) => [kind, outcome, count] as const),
        ),
    words,
  };
}
