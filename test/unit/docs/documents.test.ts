import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { SETTINGS } from '../../../src/config/table.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

function filesIn(folder: string, ending: RegExp): string[] {
  const files = readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => ending.test(file)).map((file) => `${folder}/${file}`);
}

const DOCUMENTS = ['README.md', 'SECURITY.md', 'ARCHITECTURE.md', ...filesIn('docs', /\.md$/)];
const EXAMPLES = filesIn('examples', /\.(yaml|conf|json)$|Caddyfile$/);
/** Of other programs, and of the recipes' own. */
const OTHERS = new Set([
  'AFTERIMAGE_URL',
  'OPENAI_API_KEY',
  'APP_PORT',
  'CHROMIUM_PATH',
  'MALLOC_ARENA_MAX',
  'TEST_REPORT',
  'UV_THREADPOOL_SIZE',
  'UWS_HTTP_MAX_HEADERS_SIZE',
]);
/** A name in code, or one that is given a value: two words or more. */
const SETTING = /(?<=[`\s{'"]|^)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?=[`=,])/gm;

/** Heading to anchor, as GitHub makes it. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('the documents', () => {
  it.each(DOCUMENTS)('%s links to what is there', (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(
      ([, link = '']) => link,
    );
    const folder = path.replace(/[^/]*$/, '');
    const broken = links.filter((link) => {
      const [target = '', anchor] = link.split('#');
      const file =
        target === ''
          ? path
          : fileURLToPath(new URL(`${folder}${target}`, `file://${ROOT}`)).slice(ROOT.length);
      if (!existsSync(`${ROOT}${file}`)) return true;
      return anchor !== undefined && !anchorsOf(read(file)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it.each([...DOCUMENTS, ...EXAMPLES])('%s names no setting that there is not', (path) => {
    const named = new Set([...read(path).matchAll(SETTING)].map(([name]) => name));
    const unknown = [...named].filter((name) => !(name in SETTINGS) && !OTHERS.has(name));
    expect(unknown).toEqual([]);
  });

  it('give an operator a line for each alert, and no other', () => {
    const alerts = [...read('examples/prometheus/alerts.yaml').matchAll(/alert: (\w+)/g)].map(
      ([, name]) => name,
    );
    const rows = [...read('docs/operations.md').matchAll(/^\| `(Afterimage\w+)` \|/gm)].map(
      ([, name]) => name,
    );
    expect(alerts.length).toBeGreaterThan(5);
    expect(rows).toEqual(alerts);
  });

  it('quote log lines as the server says them', () => {
    const section = /## What the log says\n([^]*?)\n## /.exec(read('docs/operations.md'))?.[1] ?? '';
    const cells = [...section.matchAll(/^\| (`.*?`) \| /gm)].map(([, cell = '']) => cell);
    const quoted = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, line = '']) => line));
    const sources = filesIn('src', /\.ts$/).map(read).join('\n');
    const isSaid = (line: string): boolean =>
      line
        .split(' … ')
        .every((part) => sources.includes(part) || sources.includes(part.replace('The disk', 'The ${name}')));
    expect(quoted.length).toBeGreaterThan(10);
    expect(quoted.filter((line) => !isSaid(line))).toEqual([]);
  });
});

describe('SECURITY.md', () => {
  const rows = [
    ...read('SECURITY.md').matchAll(/^\| ((?:CVE-|imgproxy|ipx|thumbor)[^|]*) \| [^|]+ \| ([^|]+) \|$/gm),
  ];

  it('answers every report of the table', () => {
    expect(rows).toHaveLength(16);
  });

  it.each(rows.map(([, report = '', here = '']) => [report, here] as const))(
    '%s: by a test that there is',
    (report, here) => {
      const advisories = read('test/integration/advisories.test.ts');
      const named = /Test: ([^.;]+(?:\.\d+\.\d+)?)/.exec(here)?.[1] ?? report.replace(/ \(.*$/, '');
      expect(here).toContain('Test');
      expect(advisories).toMatch(new RegExp(`it\\((['"]).*${named.replaceAll('.', '\\.')}[^]*?\\1, `));
      for (const [, path = ''] of here.matchAll(/`((?:test|workers)\/[^`]+)`/g))
        expect(existsSync(`${ROOT}${path}`)).toBe(true);
    },
  );
});

describe('examples/kubernetes', () => {
  const manifest = read('examples/kubernetes/afterimage.yaml');
  const env = Object.fromEntries(
    [...manifest.matchAll(/- \{ name: ([A-Z_]+), value: '?([^' }]+)'? \}/g)].map(([, name = '', value]) => [
      name,
      value,
    ]),
  );

  it('starts with its settings, and not without the token of its secret', () => {
    expect(manifest).toContain('- name: WRITE_TOKEN\n              valueFrom:');
    expect(() => loadConfig(env)).toThrow('WRITE_TOKEN');
    expect(loadConfig({ ...env, WRITE_TOKEN: 'token' })).toMatchObject({
      REDIS_HOST: 'redis',
      METRICS_PORT: 9090,
    });
  });

  it('has the memory that the formula of docs/operations.md asks for, and the time to stop', () => {
    const config = loadConfig({ ...env, WRITE_TOKEN: 'token' });
    const needsMb =
      160 +
      config.MEMORY_CACHE_MB +
      1.75 * config.UPLOAD_BUDGET_MB +
      config.WORKER_THREADS * 19 * config.MAX_IMAGE_MEGAPIXELS +
      config.HISTORY_MB +
      16 +
      config.EVENTS_MAX_SUBSCRIBERS * 0.004;
    const limitMb = Number(/limits: \{ memory: (\d+)Mi \}/.exec(manifest)?.[1]);
    expect(limitMb).toBeGreaterThan(needsMb * 1.2);
    const graceS = Number(/terminationGracePeriodSeconds: (\d+)/.exec(manifest)?.[1]);
    expect(graceS).toBeGreaterThan(config.STOP_GRACE_S + 10);
  });

  it('asks the ports that are opened, at addresses that there are', () => {
    const paths = Object.keys(JSON.parse(read('docs/openapi.json')).paths);
    const probes = [...manifest.matchAll(/httpGet: \{ path: (\S+), port: (\w+) \}/g)];
    expect(probes).toHaveLength(3);
    for (const [, path, port] of probes) expect([paths.includes(path ?? ''), port]).toEqual([true, 'http']);
    expect(manifest).toContain('{ name: http, containerPort: 8080 }');
  });
});
