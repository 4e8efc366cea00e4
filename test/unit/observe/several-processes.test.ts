import { expect, test } from 'vitest';
import { countersOf, metricsText, type ProcessMetrics } from '../../../src/observe/several-processes.ts';

function metric(name: string, type: string, value: number, aggregator = 'sum') {
  return { name: `afterimage_${name}`, help: name, type, aggregator, values: [{ value, labels: {} }] };
}

const processMetrics = (cpu: number, lag: number, heap: number): ProcessMetrics => [
  metric('process_cpu_seconds_total', 'counter', cpu),
  metric('nodejs_eventloop_lag_p99_seconds', 'gauge', lag, 'max'),
  metric('nodejs_heap_size_used_bytes', 'gauge', heap),
];

test('what is counted and held adds up, and the slowest loop is the one that shows', async () => {
  const text = await metricsText([], [processMetrics(1, 0.5, 100), processMetrics(2, 0.1, 50)]);
  expect(text).toContain('afterimage_process_cpu_seconds_total 3\n');
  expect(text).toContain('afterimage_nodejs_eventloop_lag_p99_seconds 0.5\n');
  expect(text).toContain('afterimage_nodejs_heap_size_used_bytes 150\n');
});

test('of processes that are gone only what counts up remains, however many they are', async () => {
  const first = await countersOf([processMetrics(1, 0.5, 100)]);
  const both = await countersOf([first, processMetrics(2, 0.5, 100)]);
  expect(both).toHaveLength(1);
  const text = await metricsText([], [processMetrics(4, 0.1, 50), both]);
  expect(text).toContain('afterimage_process_cpu_seconds_total 7\n');
  expect(text).toContain('afterimage_nodejs_eventloop_lag_p99_seconds 0.1\n');
  expect(text).toContain('afterimage_nodejs_heap_size_used_bytes 50\n');
});

test('our own numbers are there once, from the sum', async () => {
  const own = { name: 'subscribers', help: 'Open.', kind: 'gauge', read: () => [{ value: 5 }] } as const;
  const text = await metricsText([own], [processMetrics(1, 0, 0), processMetrics(1, 0, 0)]);
  expect(text.match(/^afterimage_subscribers .*$/gm)).toEqual(['afterimage_subscribers 5']);
});
