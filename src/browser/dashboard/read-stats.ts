/**
 * GET /admin/stats as the dashboard reads it: by path, since an older or newer server may leave any
 * field out, and what is not there is shown as unknown rather than as zero.
 */

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function valueAt(stats: unknown, path: string): unknown {
  return path.split('.').reduce((value: unknown, key) => fieldsOf(value)[key], stats);
}

export function numberAt(stats: unknown, path: string): number | undefined {
  const value = valueAt(stats, path);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function textAt(stats: unknown, path: string): string {
  const value = valueAt(stats, path);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

export function listAt(stats: unknown, path: string): readonly Fields[] {
  const value = valueAt(stats, path);
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
