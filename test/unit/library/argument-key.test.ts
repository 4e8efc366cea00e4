import { describe, expect, it } from 'vitest';
import { argumentKey } from '../../../src/library/argument-key.ts';

describe('the name of a call', () => {
  it('is the same for every order of properties, and hides what it is made of', () => {
    const name = argumentKey(['buy', { page: 1, sort: 'price' }]);
    expect(argumentKey(['buy', { sort: 'price', page: 1 }])).toBe(name);
    expect(name).toMatch(/^[0-9a-f]{64}$/);
  });

  it('differs for arguments that differ', () => {
    const calls: readonly (readonly unknown[])[] = [
      [],
      [undefined],
      [null],
      ['undefined'],
      [1],
      ['1'],
      [1n],
      [-0],
      [0],
      [Number.NaN],
      [true],
      [[1, 2]],
      [1, 2],
      [[1], [2]],
      [{ a: 1 }],
      [{ a: undefined }],
      [{}],
      [new Date(1)],
      [new Uint8Array([1])],
      ['a,"b'],
      ['a', 'b'],
    ];
    expect(new Set(calls.map(argumentKey)).size).toBe(calls.length);
  });

  it('cannot be made of what has no text of its own', () => {
    class User {
      readonly id = 1;
    }
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const argument of [() => 1, new User(), new Map(), Symbol('x'), cycle]) {
      expect(() => argumentKey([argument])).toThrow(TypeError);
    }
  });
});
