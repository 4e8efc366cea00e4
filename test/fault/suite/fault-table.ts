/** Rows of the table that `npm test` prints at its end: one file for all test processes, a line a row. */
import { appendFileSync, readFileSync } from 'node:fs';
import type { FaultRow } from './fault.ts';

/** Set by test/global-setup.ts, which prints the table when all is done. */
export const FAULT_TABLE_VARIABLE = 'AFTERIMAGE_FAULT_TABLE';

export function keepRow(row: FaultRow): void {
  const path = process.env[FAULT_TABLE_VARIABLE];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(row)}\n`);
}

/** '' when no fault was tried. A fault that was tried again is there once, as it went last. */
export function renderFaultTable(path: string): string {
  const rows = new Map<string, FaultRow>();
  for (const line of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
    const row = JSON.parse(line) as FaultRow;
    rows.set(row.fault, row);
  }
  if (rows.size === 0) return '';
  const cells = [...rows.values()]
    .toSorted((a, b) => a.fault.localeCompare(b.fault))
    .map(({ fault, how, requests, refused, recoveredMs }) => {
      return [fault, how, String(requests), refused, `${(recoveredMs / 1000).toFixed(2)} s`];
    });
  const table = [['fault', 'injected how', 'requests', 'refused', 'recovered in'], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  const lines = table.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${rows.size} faults, each under load, each with the same check afterwards\n${lines.join('\n')}\n`;
}
