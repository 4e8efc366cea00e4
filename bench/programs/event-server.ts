/**
 * The product's event hub and streams with a way to publish synthetic events, as nchan has one: the
 * fan-out alone, without decoding images. `POST /publish?bytes=4096`. Run: `node event-server.js <port>`
 */
import { pino } from 'pino';
import { App } from 'uWebSockets.js';
import { systemClock } from '../../src/core/clock.ts';
import type { EventDraft } from '../../src/core/event.ts';
import { encodeSse } from '../../src/events/encode-sse.ts';
import { createHub } from '../../src/events/hub.ts';
import { createLocalBus } from '../../src/events/local-bus.ts';
import { createAccess } from '../../src/http/access.ts';
import { createHttpCounters } from '../../src/http/http-counters.ts';
import { loadNative } from '../../src/http/native.ts';
import { registerEvents } from '../../src/http/routes/get-events.ts';
import { registerWs } from '../../src/http/routes/ws-events.ts';
import { createSubscribeAccess } from '../../src/http/subscribe-access.ts';

const MIB = 1024 * 1024;
const CURSOR = '1763672400123-0';

/** The mark at its end is what the load counts events by: one byte that nothing else in a frame is. */
function draftOf(padding: number): EventDraft {
  const version = '9f'.repeat(32);
  return {
    name: 'image.ready',
    kind: 'final',
    data: { id: 'bench', version, mime: 'image/png', bytes: 1024, width: 64, height: 64, topics: [] },
    thumbnail: `${'A'.repeat(padding)}^`,
    bodyKey: '',
  };
}

function frameBytesOf(draft: EventDraft): number {
  const event = { ...draft, cursor: CURSOR, topics: ['image:bench'] };
  return encodeSse.event(event, 'thumbnail', undefined).bytes.byteLength;
}

const OVERHEAD_BYTES = frameBytesOf(draftOf(0));

/** The defaults of the settings table, but for subscribers that the load opens at once. */
const HUB = {
  subscribersMax: 20_000,
  perClientMax: 0,
  topicsMax: 64,
  budgetBytes: 4 * MIB,
  stallMs: 30_000,
  heartbeatMs: 15_000,
  inlineTimeoutMs: 5000,
  lifetimeMs: 0,
  frameCacheBytes: 16 * MIB,
};

await loadNative();
const log = pino({ level: 'warn' });
const bus = createLocalBus({ limitEvents: 10_000, limitBytes: 32 * MIB, maxAgeMs: 3_600_000 }, systemClock);
const hub = createHub(HUB, {
  bus,
  clock: systemClock,
  log,
  loadInline: async () => undefined,
  random: Math.random,
});
const context = {
  access: createAccess({ write: [], admin: [] }, ['*']),
  counters: createHttpCounters(),
  log,
  running: new Set<never>(),
};
const app = App();
const deps = {
  hub,
  context,
  subscribeAccess: createSubscribeAccess({ secret: '', jwks: undefined, jwksAlgorithm: '' }, systemClock),
  inlineLimitBytes: MIB,
  random: Math.random,
  stallMs: HUB.stallMs,
};
registerEvents(app, deps);
registerWs(app, deps);
app.post('/publish', (res, req) => {
  const bytes = Number(req.getQuery('bytes') ?? '0');
  res.onAborted(() => undefined);
  // nchan is sent the body, too: both read it.
  res.onData((_chunk, isLast) => {
    if (!isLast) return;
    void bus.publish(draftOf(Math.max(0, bytes - OVERHEAD_BYTES)));
    res.endWithoutBody(0);
  });
});
app.listen('127.0.0.1', Number(process.argv[2] ?? '0'), (socket) => {
  if (socket === false) throw new Error('the port is taken');
  process.stdout.write('ready\n');
});
