import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLruPolicy } from '../../src/cache/lru-policy.ts';
import { createSievePolicy } from '../../src/cache/sieve-policy.ts';
import type { EvictionPolicy } from '../../src/cache/eviction-policy.ts';

const CAPACITY = 5;
const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', '__proto__');
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, value: fc.nat() }),
  fc.record({ kind: fc.constantFrom('get' as const, 'peek' as const, 'remove' as const), key }),
  fc.record({ kind: fc.constantFrom('evict' as const, 'clear' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function setWithin(policy: EvictionPolicy<number>, name: string, value: number): void {
  const victim = policy.peek(name) === undefined && policy.size() === CAPACITY ? policy.victim() : undefined;
  if (victim !== undefined) policy.remove(victim);
  policy.set(name, value);
}

function apply(policy: EvictionPolicy<number>, one: Step): number | string | undefined {
  switch (one.kind) {
    case 'set':
      return void setWithin(policy, one.key, one.value);
    case 'evict': {
      const victim = policy.victim();
      if (victim !== undefined) policy.remove(victim);
      return victim;
    }
    case 'clear':
      return void policy.clear();
    default:
      return policy[one.kind](one.key);
  }
}

/** A list, newest first: slow and plain. */
function createModel(): EvictionPolicy<number> {
  let rows: { key: string; value: number }[] = [];
  const at = (name: string): number | undefined => rows.find((row) => row.key === name)?.value;
  const without = (name: string) => rows.filter((row) => row.key !== name);
  const raise = (name: string, value: number): void => void (rows = [{ key: name, value }, ...without(name)]);
  return {
    peek: at,
    get: (name) => {
      const value = at(name);
      if (value !== undefined) raise(name, value);
      return value;
    },
    set: raise,
    remove: (name) => {
      const value = at(name);
      rows = without(name);
      return value;
    },
    victim: () => rows.at(-1)?.key,
    size: () => rows.length,
    keys: () => rows.map((row) => row.key),
    walk: () => rows.map((row) => row.key).values(),
    clear: () => void (rows = []),
  };
}

it('the LRU policy is a list by last use, whatever is set, read, removed and evicted', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const [policy, model] = [createLruPolicy<number>(CAPACITY), createModel()];
      for (const one of steps) {
        expect(apply(policy, one)).toEqual(apply(model, one));
        expect(policy.keys()).toEqual(model.keys());
        expect(new Set(policy.walk())).toEqual(new Set(model.keys()));
      }
    }),
  );
});

it('the SIEVE policy holds exactly what was set and not removed, and always has a victim', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const policy = createSievePolicy<number>();
      const held = new Map<string, number>();
      for (const one of steps) {
        const before = new Set(held.keys());
        if (one.kind === 'set' && !held.has(one.key) && held.size === CAPACITY) {
          const victim = policy.victim() ?? '';
          expect(before.has(victim)).toBe(true);
          held.delete(victim);
        }
        const result = apply(policy, one);
        if (one.kind === 'set') held.set(one.key, one.value);
        if (one.kind === 'remove') held.delete(one.key);
        if (one.kind === 'evict') {
          expect(result === undefined ? held.size : held.has(String(result))).toBe(
            held.size === 0 ? 0 : true,
          );
          held.delete(String(result));
        }
        if (one.kind === 'clear') held.clear();
        expect(new Set(policy.keys())).toEqual(new Set(held.keys()));
        for (const [name, value] of held) expect(policy.peek(name)).toBe(value);
      }
    }),
  );
});
