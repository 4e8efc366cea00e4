/** One setting from its text, by a zod schema made from its row. Pure. */
import { z } from 'zod';
import type { Setting } from './table.ts';

function wholeNumber(setting: Setting): z.ZodType<number, string> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = setting;
  return z
    .string()
    .trim()
    .regex(/^-?\d+$/)
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));
}

function commaSeparated(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function schemaOf(setting: Setting): z.ZodType<unknown, string> {
  switch (setting.kind) {
    case 'int':
      return wholeNumber(setting);
    case 'int-or-auto':
      return z.union([z.string().trim().pipe(z.literal('auto')), wholeNumber(setting)]);
    case 'int-list':
      return z
        .string()
        .transform(commaSeparated)
        .pipe(z.array(wholeNumber(setting)).min(1));
    case 'bool':
      return z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });
    case 'list':
      return z.string().transform(commaSeparated);
    case 'choice':
      return z
        .string()
        .trim()
        .pipe(z.enum([...(setting.choices ?? [])] as [string, ...string[]]));
    case 'text':
    case 'secret':
      return z.string().trim();
  }
}

/** What a setting expects, in words: for error lines, the help and the docs. */
export function expectation(setting: Setting): string {
  const bounds = `from ${setting.min ?? 0} to ${setting.max ?? 'any'}`;
  const unit = setting.unit === undefined ? '' : ` (${setting.unit})`;
  switch (setting.kind) {
    case 'int':
      return `a whole number ${bounds}${unit}`;
    case 'int-or-auto':
      return `auto, or a whole number ${bounds}${unit}`;
    case 'int-list':
      return `whole numbers ${bounds}${unit}, comma separated`;
    case 'bool':
      return 'true or false';
    case 'list':
      return 'values, comma separated';
    case 'choice':
      return `one of ${(setting.choices ?? []).join(', ')}`;
    case 'text':
    case 'secret':
      return 'text';
  }
}

export type SettingResult = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

export function readSetting(setting: Setting, text: string): SettingResult {
  const parsed = schemaOf(setting).safeParse(text);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false };
}
