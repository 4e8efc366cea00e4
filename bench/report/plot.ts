/** A scenario as horizontal bars in one SVG, hand-written: whiskers are the least and the most of the rounds. */
import type { Outcome, Row } from '../scenario.ts';
import { number } from './format.ts';
import { quietValues, spreadOf } from './statistics.ts';

const WIDTH = 720;
const LEFT = 190;
const RIGHT = 110;
const BAR = 18;
const GAP = 14;
const COLOURS = ['#0f766e', '#94a3b8', '#64748b', '#cbd5e1', '#475569'];

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Each row has a scale of its own: 4 KB and 2 MB hits differ a hundredfold. */
function drawRow(row: Row, top: number): string[] {
  const spreads = row.series.map((series) => spreadOf(quietValues(series)));
  const most = Math.max(...spreads.map((each) => each.most));
  const scale = (value: number): number => (value / most) * (WIDTH - LEFT - RIGHT);
  const label = `<text x="8" y="${top + 13}" font-weight="600">${escape(row.label)}</text>`;
  const bars = row.series.flatMap((series, at) => {
    const y = top + at * BAR;
    const { median, least, most: high } = spreads[at] ?? { median: 0, least: 0, most: 0 };
    const middle = y + BAR / 2 - 1;
    return [
      `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end" class="s">${escape(series.subject)}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${scale(median).toFixed(1)}" height="${BAR - 3}" ` +
        `fill="${COLOURS[at % COLOURS.length] ?? '#888'}"/>`,
      `<path d="M${(LEFT + scale(least)).toFixed(1)} ${middle}H${(LEFT + scale(high)).toFixed(1)}" ` +
        `stroke="#b45309" stroke-width="2"/>`,
      `<text x="${(LEFT + scale(high) + 6).toFixed(1)}" y="${y + 13}">${number(median)}</text>`,
    ];
  });
  return [label, ...bars];
}

export function plot(question: string, outcome: Outcome): string {
  let top = 44;
  const drawn: string[] = [];
  for (const row of outcome.rows) {
    drawn.push(...drawRow(row, top));
    top += row.series.length * BAR + GAP;
  }
  const units = [...new Set(outcome.rows.map((row) => `${row.unit}, ${row.better} is better`))].join('; ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top + 22}" width="${WIDTH}" ` +
      `font-family="system-ui,sans-serif" font-size="12" fill="#1e293b">`,
    `<style>.s{fill:#475569}</style><rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="8" y="24" font-size="15" font-weight="700">${escape(question)}</text>`,
    ...drawn,
    `<text x="8" y="${top + 12}" class="s">${escape(units)}; each group has its own scale</text>`,
    '</svg>\n',
  ].join('\n');
}
