import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const read = (path: string): string =>
  readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8');
const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(read('grafana/afterimage.json'));
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
/** One `expr: …` a line. */
const alerts = [...read('prometheus/alerts.yaml').matchAll(/^\s*expr: (.*)$/gm)].map(([, expr = '']) => expr);

const NAME = /afterimage_\w+/g;
let app: RunningApp;
let types: ReadonlyMap<string, string>;

beforeAll(async () => {
  app = await runApp();
  const text = await (await app.get('/metrics')).text();
  types = new Map(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
});
afterAll(async () => app.close());

const namesIn = (texts: readonly string[]): string[] =>
  texts.flatMap((text) => [...text.matchAll(NAME)].map(([name]) => name));

it('metrics are counted in base units, and each says what it is', async () => {
  const text = await (await app.get('/metrics')).text();
  const names = [...types.keys()].filter((name) => name.startsWith('afterimage_'));
  expect(names.length).toBeGreaterThan(40);
  expect(names.filter((name) => /(?:milliseconds|_ms|kilobytes|_kb|_mb)(?:_total)?$/.test(name))).toEqual([]);
  const own = names.filter((name) => !/^afterimage_(?:nodejs|process)_/.test(name));
  expect(own.filter((name) => (types.get(name) === 'counter') !== name.endsWith('_total'))).toEqual([]);
  const unhelpful = names.filter((name) => !new RegExp(`^# HELP ${name} .{5,}`, 'm').test(text));
  expect(unhelpful).toEqual([]);
});

describe('the Grafana dashboard and the alerts', () => {
  it('ask only for what the server says of itself', () => {
    const asked = namesIn([...expressions, ...alerts]);
    expect(asked.length).toBeGreaterThan(40);
    expect(asked.filter((name) => !types.has(name))).toEqual([]);
  });

  it('take the rate of counters, and of nothing else', () => {
    for (const expr of [...expressions, ...alerts]) {
      const rated = [...expr.matchAll(/(?:rate|increase)\((afterimage_\w+)/g)].map(([, name = '']) => name);
      for (const name of namesIn([expr])) {
        expect([name, types.get(name) === 'counter']).toEqual([name, rated.includes(name)]);
      }
    }
  });

  it('leave out no count of a failure', () => {
    const failures = [...types.keys()].filter((name) =>
      /errors|problems|shed|timeouts|crashes|gaps|closed/.test(name),
    );
    const asked = namesIn(expressions);
    expect(failures.length).toBeGreaterThan(5);
    expect(failures.filter((name) => !asked.includes(name))).toEqual([]);
  });
});
