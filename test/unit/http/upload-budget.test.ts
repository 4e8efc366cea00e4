import { expect, test } from 'vitest';
import { createUploadBudget } from '../../../src/http/upload-budget.ts';

test('the sum counts, and what is given back is there again', () => {
  const budget = createUploadBudget(100);
  budget.take(60);
  expect(() => budget.take(41)).toThrow('overloaded');
  expect(budget.inFlightBytes()).toBe(60);
  budget.take(40);
  budget.give(60);
  expect(budget.inFlightBytes()).toBe(40);
  budget.take(60);
  budget.give(100);
  expect(budget.inFlightBytes()).toBe(0);
});

test('nothing is always there', () => {
  const budget = createUploadBudget(0);
  expect(() => budget.take(0)).not.toThrow();
  expect(() => budget.take(1)).toThrow('overloaded');
});
