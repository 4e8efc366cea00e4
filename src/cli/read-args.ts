/** A command's words, by node:util's parseArgs; a mistake becomes a UsageError in our words. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './terminal.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

type Read<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: boolean; strict: true }>
>;

export function readArgs<const O extends Options>(
  args: readonly string[],
  options: O,
  positionals: boolean,
): Read<O> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: positionals, strict: true });
  } catch (error) {
    const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new UsageError(sentence);
  }
}

/** A whole number of an option, within bounds; the default when it is not given. */
export function wholeNumber(
  name: string,
  text: string | undefined,
  [fallback, min, max]: readonly [fallback: number, min: number, max: number],
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`--${name} is "${text}": expected a whole number from ${min} to ${max}`);
  }
  return value;
}
