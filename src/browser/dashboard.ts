/**
 * The dashboard at `/`: asks /admin/stats every two seconds while it is seen, and shows what it says.
 * The parts of the page are in dashboard/; this is their order.
 */
import { createHistory, SAMPLE_MS, type Sample } from './dashboard/create-history.ts';
import { createPlot } from './dashboard/create-plot.ts';
import { startFinding } from './dashboard/find-image.ts';
import { numberAt, textAt } from './dashboard/read-stats.ts';
import { showHealth } from './dashboard/show-health.ts';
import { showRecent } from './dashboard/show-recent.ts';
import { showAttention } from './dashboard/show-attention.ts';
import { showTables } from './dashboard/show-tables.ts';
import { askToken } from './pages/ask-token.ts';
import { buildElement, elementOf } from './pages/build-element.ts';
import { callJson, type Problem } from './pages/call-server.ts';
import { formatBytes, formatCount, formatDuration, formatPercent } from './pages/format.ts';

const history = createHistory();
const plots = [
  createPlot({
    title: 'Requests per second',
    lines: [
      { label: 'all', value: (sample) => sample.requests },
      { label: '304', value: (sample) => sample.notModified },
    ],
    least: 1,
    format: formatCount,
  }),
  createPlot({
    title: 'Cache per second',
    lines: [
      { label: 'hits', value: (sample) => sample.hits },
      { label: 'misses', value: (sample) => sample.misses },
    ],
    least: 1,
    format: formatCount,
  }),
  createPlot({
    title: 'Events per second',
    lines: [
      { label: 'delivered', value: (sample) => sample.deliveries },
      { label: 'published', value: (sample) => sample.published },
    ],
    least: 1,
    format: formatCount,
  }),
  createPlot({
    title: 'Workers',
    lines: [
      { label: 'running', value: (sample) => sample.running },
      { label: 'queued', value: (sample) => sample.queued },
    ],
    least: 2,
    format: formatCount,
  }),
];

/** `12 /s`, the unit small. */
function withUnit(value: number | undefined, format: (value: number) => string): readonly (Node | string)[] {
  if (value === undefined) return ['–'];
  const [digits = '', unit = ''] = format(value).split(' ');
  return [digits, buildElement('small', {}, unit)];
}

const perSecond = (value: number): string => `${formatCount(value).replace(' ', '')} /s`;

function note(value: number | undefined, text: (value: number) => string): string {
  return value === undefined ? '' : text(value);
}

const plural = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;

function put(name: string, ...content: readonly (Node | string)[]): void {
  document.querySelector(`[data-value="${name}"]`)?.replaceChildren(...content);
}

function showTiles(stats: unknown, sample: Sample): void {
  const cacheBytes = numberAt(stats, 'cache_bytes');
  const limitBytes = numberAt(stats, 'cache_bytes_limit');
  const reads = (numberAt(stats, 'hits') ?? 0) + (numberAt(stats, 'misses') ?? 0);
  put('hitRatio', ...withUnit(reads > 0 ? numberAt(stats, 'hit_ratio') : undefined, formatPercent));
  const nowNote = note(sample.hitPercent, (percent) => `${formatPercent(percent / 100)} of the last reads`);
  const allNote = note(numberAt(stats, 'misses'), (misses) => `${formatCount(misses)} missed since start`);
  put('hitRatioNote', nowNote || allNote);
  put('requests', ...withUnit(sample.requests, perSecond));
  put(
    'requestsNote',
    note(numberAt(stats, 'requests.total'), (total) => `${formatCount(total)} in all`),
  );
  put('deliveries', ...withUnit(sample.deliveries, perSecond));
  put(
    'deliveriesNote',
    note(numberAt(stats, 'events.published'), (all) => `${plural(all, 'event')} in all`),
  );
  put('subscribers', note(numberAt(stats, 'events.subscribers'), formatCount) || '–');
  put(
    'subscribersNote',
    note(numberAt(stats, 'events.topics'), (topics) => plural(topics, 'topic')),
  );
  put('memory', ...withUnit(cacheBytes, formatBytes));
  put(
    'memoryNote',
    note(limitBytes, (limit) => `of ${formatBytes(limit)}`),
  );
}

function showNotes(stats: unknown): void {
  const uptime = note(numberAt(stats, 'uptime_s'), (seconds) => `up ${formatDuration(seconds)}`);
  const version = textAt(stats, 'version') && `v${textAt(stats, 'version')}`;
  const process = note(numberAt(stats, 'memory.rss_bytes'), (bytes) => `${formatBytes(bytes)} resident`);
  put('about', [version, uptime].filter(Boolean).join(' · '));
  put('footer', ['Afterimage', version, uptime, process].filter(Boolean).join(' · '));
  // Without an origin there is nothing to call.
  if (numberAt(stats, 'origin.calls') !== undefined) {
    const spared = formatCount(numberAt(stats, 'origin_calls_spared') ?? 0);
    put('tiersNote', `${plural(numberAt(stats, 'origin_calls') ?? 0, 'origin call')}, ${spared} spared`);
  }
  put(
    'workersNote',
    note(numberAt(stats, 'workers.threads'), (threads) => plural(threads, 'thread')),
  );
  put(
    'eventsNote',
    note(numberAt(stats, 'events.subscribers'), (all) => plural(all, 'subscriber')),
  );
}

function showTrouble(problem: Problem | undefined): void {
  const box = elementOf('#trouble', HTMLElement);
  box.hidden = problem === undefined;
  if (problem === undefined) return;
  const isLocked = problem.status === 401;
  elementOf('#trouble p', HTMLElement).textContent = isLocked
    ? 'The numbers of this server are behind a token.'
    : `No numbers at the moment. ${problem.message}`;
  elementOf('#trouble button', HTMLElement).hidden = !isLocked;
}

async function poll(): Promise<void> {
  const answer = await callJson('admin/stats');
  showTrouble('problem' in answer ? answer.problem : undefined);
  if ('problem' in answer) return;
  const sample = history.add(answer.value, Date.now());
  showTiles(answer.value, sample);
  showNotes(answer.value);
  showTables(answer.value);
  showAttention(answer.value);
  showHealth(answer.value);
  for (const plot of plots) plot.draw(history.samples);
}

/** The next question waits for the answer to the last; a page that nobody sees asks nothing. */
async function keepPolling(): Promise<void> {
  if (!document.hidden) await poll();
  setTimeout(() => void keepPolling(), SAMPLE_MS);
}

elementOf('#plots', HTMLElement).append(...plots.map((plot) => plot.element));
elementOf('#trouble button', HTMLElement).addEventListener(
  'click',
  async () => (await askToken('write')) && poll(),
);
document.addEventListener('visibilitychange', () => !document.hidden && void poll());
put('origin', location.origin);
for (const plot of plots) plot.draw([]);
showRecent();
startFinding();
void keepPolling();
