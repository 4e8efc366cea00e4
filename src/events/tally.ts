/** How many of each name there are; a name with none is forgotten. */

export interface Tally {
  add(name: string): void;
  remove(name: string): void;
  of(name: string): number;
  /** Different names. */
  size(): number;
  /** The names with most, first. */
  most(count: number): readonly (readonly [name: string, count: number])[];
}

export function createTally(): Tally {
  const counts = new Map<string, number>();
  const of = (name: string): number => counts.get(name) ?? 0;
  return {
    add: (name) => void counts.set(name, of(name) + 1),
    remove(name) {
      const left = of(name) - 1;
      if (left > 0) counts.set(name, left);
      else counts.delete(name);
    },
    of,
    size: () => counts.size,
    most: (count) => [...counts].toSorted(([, a], [, b]) => b - a).slice(0, count),
  };
}
