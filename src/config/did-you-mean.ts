/** Finds the setting that a misspelt environment variable meant. Pure. */

/** Edits (insert, delete, replace, swap of neighbours) between two texts: optimal string alignment. */
export function editDistance(a: string, b: string): number {
  let twoBack: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let edits = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + same,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        edits = Math.min(edits, (twoBack[column - 2] ?? 0) + 1);
      }
      current.push(edits);
    }
    twoBack = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/**
 * The known name that is one edit away, or two for names long enough that two edits can't make another
 * program's variable look like ours (`PORT` must not claim `SORT`).
 */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestEdits = 3;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > 2 || candidate.length < 6) continue;
    const edits = editDistance(name, candidate);
    const allowed = candidate.length >= 9 ? 2 : 1;
    if (edits > 0 && edits <= allowed && edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}
