/**
 * One small plot: up to two lines over the last minutes, its newest values in words, older ones under
 * the pointer. SVG by hand; it knows nothing of what it plots.
 */
import { buildElement } from '../pages/build-element.ts';
import { SAMPLES, type Sample } from './create-history.ts';

const WIDTH = 300;
const HEIGHT = 100;
const SVG = 'http://www.w3.org/2000/svg';

interface PlotLine {
  readonly label: string;
  readonly value: (sample: Sample) => number | undefined;
}

export interface PlotOptions {
  readonly title: string;
  readonly lines: readonly [PlotLine, PlotLine?];
  /** The top of the scale is never below this. */
  readonly least: number;
  readonly format: (value: number) => string;
}

export interface Plot {
  readonly element: HTMLElement;
  draw(samples: readonly Sample[]): void;
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** The next of 1, 2, 5 times a power of ten: a scale that does not jump with every sample. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

const place = (index: number, count: number): number => ((SAMPLES - count + index) / (SAMPLES - 1)) * WIDTH;

/** A path that breaks where nothing is known. `floor` closes each piece down to the axis. */
function pathOf(values: readonly (number | undefined)[], top: number, floor: boolean): string {
  const pieces: [number, number][][] = [];
  values.forEach((value, index) => {
    if (value === undefined) return;
    const point: [number, number] = [place(index, values.length), HEIGHT - (value / top) * (HEIGHT - 4)];
    if (index > 0 && values[index - 1] !== undefined) pieces.at(-1)?.push(point);
    else pieces.push([point]);
  });
  return pieces
    .map((piece) => {
      const line = piece.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L');
      const [first, last] = [piece[0]?.[0] ?? 0, piece.at(-1)?.[0] ?? 0];
      return floor ? `M${first.toFixed(1)} ${HEIGHT}L${line}L${last.toFixed(1)} ${HEIGHT}Z` : `M${line}`;
    })
    .join('');
}

function createCanvas(names: readonly string[]) {
  const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
  for (const y of [4, 52]) svg.append(shape('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y, y2: y }));
  const areas = names.map((name) => shape('path', { class: `area ${name}` }));
  const strokes = names.map((name) => shape('path', { class: `line ${name}` }));
  const cross = shape('line', { class: 'cross', y1: 0, y2: HEIGHT, visibility: 'hidden' });
  svg.append(...areas, ...strokes, cross);
  return { svg, areas, strokes, cross };
}

export function createPlot(options: PlotOptions): Plot {
  const lines = options.lines.filter((line) => line !== undefined);
  const canvas = createCanvas(['a', 'b'].slice(0, lines.length));
  const keys = lines.map((_, index) =>
    buildElement('span', { class: `key number ${index === 0 ? 'a' : 'b'}` }),
  );
  const top = buildElement('span', { class: 'top number' });
  const caption = buildElement('figcaption', {}, buildElement('strong', {}, options.title), ...keys);
  const element = buildElement('figure', { class: 'card plot' }, caption, canvas.svg, top);
  let drawn: readonly Sample[] = [];
  let pointed: number | undefined;

  function say(): void {
    const sample = pointed === undefined ? drawn.at(-1) : drawn[pointed];
    lines.forEach((line, index) => {
      const value = sample && line.value(sample);
      const key = keys[index];
      if (key) key.textContent = `${line.label} ${value === undefined ? '–' : options.format(value)}`;
    });
  }

  element.addEventListener('pointermove', (event) => {
    const box = canvas.svg.getBoundingClientRect();
    const step = Math.round(((event.clientX - box.left) / box.width) * (SAMPLES - 1));
    const index = step - (SAMPLES - drawn.length);
    pointed = drawn[index] === undefined ? undefined : index;
    const x = place(index, drawn.length);
    canvas.cross.setAttribute('visibility', pointed === undefined ? 'hidden' : 'visible');
    canvas.cross.setAttribute('x1', String(x));
    canvas.cross.setAttribute('x2', String(x));
    say();
  });
  element.addEventListener('pointerleave', () => {
    pointed = undefined;
    canvas.cross.setAttribute('visibility', 'hidden');
    say();
  });

  return {
    element,
    draw(samples) {
      drawn = samples;
      const values = lines.map((line) => samples.map(line.value));
      const peak = Math.max(options.least, ...values.flat().map((value) => value ?? 0));
      const scale = roundUp(peak);
      values.forEach((series, index) => {
        canvas.strokes[index]?.setAttribute('d', pathOf(series, scale, false));
        canvas.areas[index]?.setAttribute('d', pathOf(series, scale, true));
      });
      top.textContent = options.format(scale);
      say();
      const spoken = keys.map((key) => key.textContent).join(', ');
      canvas.svg.setAttribute('aria-label', `${options.title}: ${spoken}; highest ${options.format(peak)}`);
    },
  };
}
