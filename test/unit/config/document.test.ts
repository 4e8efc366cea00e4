import { expect, test } from 'vitest';
import { settingsHelp, settingsMarkdown } from '../../../src/config/document.ts';
import { SETTINGS, type Setting } from '../../../src/config/table.ts';

const ROWS = Object.entries<Setting>(SETTINGS);

test('help and document name every setting with its sentence', () => {
  const help = settingsHelp();
  const markdown = settingsMarkdown();
  for (const [name, { sentence }] of ROWS) {
    expect(help).toContain(`  ${name}\n      ${sentence}\n`);
    expect(markdown).toContain(`| \`${name}\` |`);
  }
});

test('every row of the document has as many cells as its head', () => {
  const rows = settingsMarkdown()
    .split('\n')
    .filter((line) => line.startsWith('|'));
  const cells = rows.map((row) => row.replaceAll('\\|', '').split('|').length);
  expect(new Set(cells)).toEqual(new Set([6]));
});

test('every setting is one sentence, and its number has a unit', () => {
  for (const [name, { sentence, kind, unit }] of ROWS) {
    expect(sentence, name).toMatch(/[.]$/);
    if (kind.startsWith('int')) expect(unit, name).toBeTruthy();
  }
});
