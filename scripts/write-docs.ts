/**
 * docs/config.md and docs/errors.md from their tables, and the figures in README.md from the committed
 * bench run. With --check it writes nothing and fails where a file on disk differs: nobody has to
 * remember to run it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readmeFigures } from '../bench/report/readme-figures.ts';
import { settingsMarkdown } from '../src/config/document.ts';
import { ERROR_TABLE, errorRow, type ErrorCode } from '../src/errors.ts';

const ROOT = new URL('../../', import.meta.url);
const FIGURES = /(?<=<!-- figures -->\n\n).*(?=\n\n<!-- \/figures -->)/s;

function errorsMarkdown(): string {
  // The keys of the table are its codes; Object.keys only says string.
  const codes = Object.keys(ERROR_TABLE) as ErrorCode[];
  const lines = [
    '# Errors',
    '',
    'Generated from `src/errors.ts` by `npm run docs`; do not edit.',
    '',
    'Answers are `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail` and `code`.',
    '`code` is one of these and for programs; `detail` says what to do, often more exactly than here.',
    '',
    '| code | status | title | what to do | `Retry-After` |',
    '|---|---|---|---|---|',
  ];
  for (const code of codes.toSorted((a, b) => errorRow(a).status - errorRow(b).status)) {
    const { status, title, advice, retryAfterS } = errorRow(code);
    const retry = retryAfterS === undefined ? '' : `${retryAfterS} s`;
    lines.push(`| \`${code}\` | ${status} | ${title} | ${advice.replaceAll('|', '\\|')} | ${retry} |`);
  }
  return `${lines.join('\n')}\n`;
}

function onDisk(file: URL): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function readmeWithFigures(): string {
  const figures = readmeFigures(onDisk(new URL('bench/results/run.json', ROOT)));
  return onDisk(new URL('README.md', ROOT)).replace(FIGURES, () => figures);
}

const isCheck = process.argv.includes('--check');
const documents = {
  'docs/config.md': settingsMarkdown(),
  'docs/errors.md': errorsMarkdown(),
  'README.md': readmeWithFigures(),
};
for (const [name, text] of Object.entries(documents)) {
  const file = new URL(name, ROOT);
  if (!isCheck) writeFileSync(file, text);
  else if (onDisk(file) !== text) {
    console.error(`${name} is not what it is made from: run npm run docs and commit it`);
    process.exitCode = 1;
  }
}
