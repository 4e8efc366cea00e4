/** docs/operations.md, traces: whose request it was goes into the log, and on to whoever is asked for it. */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startAzurite, type Azurite } from '../fixtures/azurite.ts';
import { startFaultyHttp, type FaultyHttp } from '../fixtures/faulty-http.ts';
import { png } from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';
import { startUpstreamApp, type UpstreamApp } from '../fixtures/upstream-app.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
const WRONG = `00-${TRACE_ID}-00f067aa0ba902b7-01-evil`;

interface Line {
  readonly msg: string;
  readonly requestId?: string;
  readonly traceId?: string;
  readonly path?: string;
}

let azurite: Azurite;
let azure: FaultyHttp;
let upstream: UpstreamApp;
let app: RunningApp;
const lines: Line[] = [];

beforeAll(async () => {
  azurite = await startAzurite();
  const container = await azurite.container('pictures');
  await container.getBlockBlobClient('a').uploadData(Buffer.from(await png()));
  azure = await startFaultyHttp(azurite.port);
  upstream = await startUpstreamApp();
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Line);
      done();
    },
  });
  const settings = {
    AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString(azure.port),
    AZURE_STORAGE_CONTAINER: 'pictures',
    API_UPSTREAM: `http://127.0.0.1:${upstream.port}`,
    API_ROUTES: '/api/areas/*=60',
  };
  app = await runApp(settings, { log: pino({ level: 'debug', base: null }, sink) });
});
beforeEach(() => void lines.splice(0));
afterAll(async () => {
  await app.close();
  await azure.close();
  await azurite.stop();
  await upstream.stop();
});

const linesOf = (path: string): readonly Line[] => lines.filter((line) => line.path === path);

it('the trace id of a request is in each of its log lines, beside the request id', async () => {
  await app.get('/api/areas/1', { traceparent: TRACEPARENT });
  expect(linesOf('/api/areas/1').map(({ msg, traceId }) => [msg, traceId])).toEqual([
    ['api', TRACE_ID],
    ['request', TRACE_ID],
  ]);
  expect(new Set(linesOf('/api/areas/1').map(({ requestId }) => requestId)).size).toBe(1);
});

it('what is no trace is neither logged nor passed on nor sent back', async () => {
  const answer = await app.get('/api/areas/2', { traceparent: WRONG, tracestate: 'vendor=1' });
  expect(linesOf('/api/areas/2').map(({ traceId }) => traceId)).toEqual([undefined, undefined]);
  expect(
    linesOf('/api/areas/2').every(({ requestId }) => requestId === answer.headers.get('x-request-id')),
  ).toBe(true);
  expect(upstream.requests.at(-1)?.headers).not.toHaveProperty('traceparent');
  expect(upstream.requests.at(-1)?.headers).not.toHaveProperty('tracestate');
  expect(JSON.stringify([...answer.headers])).not.toContain(TRACE_ID);
  expect(JSON.stringify(lines)).not.toContain('evil');
});

it('the application behind /api/ is told of it, whether its answer is kept or not', async () => {
  for (const path of ['/api/areas/3', '/api/other']) {
    await app.get(path, { traceparent: TRACEPARENT, tracestate: 'vendor=1' });
    expect(upstream.requests.at(-1)?.headers).toMatchObject({
      traceparent: TRACEPARENT,
      tracestate: 'vendor=1',
    });
  }
});

it('so is Azure', async () => {
  expect((await app.get('/images/a', { traceparent: TRACEPARENT })).status).toBe(200);
  expect(azure.seen.at(-1)).toMatchObject({ method: 'GET', headers: { traceparent: TRACEPARENT } });
});

it('a failure is logged with the trace that it belongs to', async () => {
  azure.fail({ kind: 'answer', status: 500 });
  expect((await app.get('/images/b', { traceparent: TRACEPARENT })).status).toBe(502);
  expect(linesOf('/images/b').map(({ traceId }) => traceId)).toEqual([TRACE_ID, TRACE_ID]);
});
