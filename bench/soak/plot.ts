/** Resident memory and heap over the time of a run as one SVG: the line through them, the ceiling, the faults. */
import type { Sample } from './sampler.ts';

export interface Plotted {
  readonly title: string;
  readonly samples: readonly Sample[];
  readonly marks: readonly { readonly name: string; readonly atMs: number }[];
  readonly warmMs: number;
  readonly slope: number;
  readonly ceilingMib: number;
}

const WIDTH = 900;
const HEIGHT = 360;
const LEFT = 56;
const RIGHT = 16;
const TOP = 40;
const BOTTOM = 40;
const GRID = 5;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** A round number of MiB above all that is drawn. */
function topOf(most: number): number {
  const step = 10 ** Math.floor(Math.log10(most));
  return Math.ceil(most / step) * step;
}

export function plotMemory({ title, samples, marks, warmMs, slope, ceilingMib }: Plotted): string {
  const fromMs = samples[0]?.atMs ?? 0;
  const spanMs = Math.max(1, (samples.at(-1)?.atMs ?? 1) - fromMs);
  const most = topOf(Math.max(1, ...samples.map(({ rssMib }) => rssMib)) * 1.05);
  const x = (atMs: number): string => (LEFT + ((atMs - fromMs) / spanMs) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (mib: number): string => (HEIGHT - BOTTOM - (mib / most) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const line = (of: (sample: Sample) => number): string =>
    samples.map((sample, at) => `${at === 0 ? 'M' : 'L'}${x(sample.atMs)} ${y(of(sample))}`).join('');
  const grid = Array.from({ length: GRID + 1 }, (_, at) => {
    const mib = (most / GRID) * at;
    const label = `<text x="${LEFT - 6}" y="${Number(y(mib)) + 4}" text-anchor="end">${Math.round(mib)}</text>`;
    return `<path d="M${LEFT} ${y(mib)}H${WIDTH - RIGHT}" stroke="#e2e8f0"/>${label}`;
  });
  const faults = marks
    .filter(({ atMs }) => atMs >= fromMs && atMs <= fromMs + spanMs)
    .map(
      ({ name, atMs }) =>
        `<path d="M${x(atMs)} ${TOP}V${HEIGHT - BOTTOM}" stroke="#b45309" stroke-opacity=".35"><title>${escape(name)}</title></path>`,
    );
  const ceiling =
    ceilingMib <= most
      ? `<path d="M${LEFT} ${y(ceilingMib)}H${WIDTH - RIGHT}" stroke="#b91c1c" stroke-dasharray="6 4"/>`
      : '';
  const minutes = (spanMs / 60_000).toFixed(1);
  const legend =
    `resident (teal), heap (grey), faults (brown), warm-up shaded; ${slope.toFixed(2)} MiB/min after it; ` +
    `ceiling ${ceilingMib} MiB; ${minutes} min`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" ` +
      'font-family="system-ui,sans-serif" font-size="12" fill="#1e293b">',
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="8" y="24" font-size="15" font-weight="700">${escape(title)}</text>`,
    `<rect x="${LEFT}" y="${TOP}" width="${Math.max(0, Number(x(Math.min(warmMs, fromMs + spanMs))) - LEFT)}" height="${HEIGHT - TOP - BOTTOM}" fill="#f1f5f9"/>`,
    ...grid,
    ...faults,
    ceiling,
    `<path d="${line(({ heapMib }) => heapMib)}" fill="none" stroke="#94a3b8" stroke-width="1.5"/>`,
    `<path d="${line(({ rssMib }) => rssMib)}" fill="none" stroke="#0f766e" stroke-width="2"/>`,
    `<text x="${LEFT}" y="${HEIGHT - 12}" fill="#475569">MiB; ${escape(legend)}</text>`,
    '</svg>\n',
  ].join('\n');
}
