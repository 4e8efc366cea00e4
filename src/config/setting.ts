/** What a row of the settings table is, and short ways to write one. */

type SettingKind = 'int' | 'int-or-auto' | 'bool' | 'text' | 'secret' | 'list' | 'int-list' | 'choice';

export interface Setting {
  readonly kind: SettingKind;
  readonly group: string;
  /** As it would be written in the environment; '' means: not set. */
  readonly default: string;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  /** One sentence, said in the help and in docs/config.md. */
  readonly sentence: string;
}

export function int(
  group: string,
  fallback: number,
  min: number,
  max: number,
  unit: string,
  sentence: string,
) {
  return { kind: 'int', group, default: String(fallback), min, max, unit, sentence } as const;
}

/** `auto`, or at least one. */
export function intOrAuto(group: string, fallback: string, max: number, unit: string, sentence: string) {
  return { kind: 'int-or-auto', group, default: fallback, min: 1, max, unit, sentence } as const;
}

export function bool(group: string, fallback: boolean, sentence: string) {
  return { kind: 'bool', group, default: String(fallback), sentence } as const;
}

export function text(group: string, fallback: string, sentence: string) {
  return { kind: 'text', group, default: fallback, sentence } as const;
}

export function secret(group: string, sentence: string) {
  return { kind: 'secret', group, default: '', sentence } as const;
}

export function list(group: string, fallback: string, sentence: string) {
  return { kind: 'list', group, default: fallback, sentence } as const;
}

export function choice<const C extends readonly string[]>(
  group: string,
  fallback: C[number],
  choices: C,
  sentence: string,
) {
  return { kind: 'choice', group, default: fallback, choices, sentence } as const;
}
