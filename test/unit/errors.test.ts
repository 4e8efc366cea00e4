/** Protocol 4: the table of errors is what the code says, no less and no more. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AppError, ERROR_TABLE, errorRow, toAppError, type ErrorCode } from '../../src/errors.ts';

// The keys of the table are its codes; Object.keys only says string.
const CODES = Object.keys(ERROR_TABLE) as ErrorCode[];

function sources(folder: string): readonly string[] {
  const root = fileURLToPath(new URL(`../../${folder}/`, import.meta.url));
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('browser') && name !== 'errors.ts')
    .map((name) => readFileSync(join(root, name), 'utf8'));
}

const code = [...sources('src'), ...sources('workers')].join('\n');

test.each(CODES)('%s is used somewhere', (name) => {
  expect(code).toMatch(new RegExp(`['"]${name}['"]`));
});

test('nothing throws a code that is not in the table', () => {
  const thrown = [...code.matchAll(/new AppError\(\s*'(\w+)'/g)].map((match) => match[1]);
  expect(thrown.length).toBeGreaterThan(50);
  for (const name of new Set(thrown)) expect(CODES).toContain(name);
});

test('overload says when to come back, a mistake of the caller does not', () => {
  for (const name of CODES) {
    const { status, retryAfterS, title, advice } = errorRow(name);
    if (status === 503) expect([name, retryAfterS]).toEqual([name, expect.any(Number)]);
    if (status === 400 || status === 422) expect([name, retryAfterS]).toEqual([name, undefined]);
    expect([status >= 400 && status < 600, title !== '', advice.endsWith('.')]).toEqual([true, true, true]);
  }
});

test('what is not one of ours shows nothing of itself', () => {
  const cause = new Error('password=secret at /etc/x');
  const error = toAppError(cause);
  expect([error.code, error.detail.includes('secret')]).toEqual(['internal', false]);
  expect(error.cause).toBe(cause);
  const own = new AppError('overloaded', 'Later.', cause);
  expect(toAppError(own)).toBe(own);
  expect(own.detail).toBe('Later.');
});
