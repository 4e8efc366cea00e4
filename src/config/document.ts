/** The table of settings as help text and as docs/config.md. */
import { expectation } from './read-setting.ts';
import { SETTINGS, type Setting } from './table.ts';

function groups(): Map<string, [string, Setting][]> {
  const byGroup = new Map<string, [string, Setting][]>();
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const rows = byGroup.get(setting.group) ?? [];
    rows.push([name, setting]);
    byGroup.set(setting.group, rows);
  }
  return byGroup;
}

export function settingsHelp(): string {
  const lines: string[] = [];
  for (const [group, rows] of groups()) {
    lines.push('', `${group}:`);
    for (const [name, setting] of rows) {
      const shownDefault = setting.default === '' ? 'not set' : setting.default;
      lines.push(`  ${name}`, `      ${setting.sentence}`);
      lines.push(`      Expects ${expectation(setting)}; default ${shownDefault}.`);
    }
  }
  return lines.join('\n');
}

export function settingsMarkdown(): string {
  const lines = [
    '# Configuration',
    '',
    'Generated from `src/config/table.ts` by `npm run docs`; do not edit.',
    '',
    'Set these as environment variables, or in a `.env` file in the working directory (the environment wins).',
    'A bad value, or a name one or two letters off a known one, stops the start with a line that says so.',
  ];
  for (const [group, rows] of groups()) {
    lines.push('', `## ${group}`, '', '| name | expects | default | meaning |', '|---|---|---|---|');
    for (const [name, setting] of rows) {
      const shownDefault = setting.default === '' ? 'not set' : `\`${setting.default}\``;
      lines.push(
        `| \`${name}\` | ${expectation(setting)} | ${shownDefault} | ${setting.sentence.replaceAll('|', '\\|')} |`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
