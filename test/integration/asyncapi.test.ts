import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../fixtures/events.ts';
import { png } from '../fixtures/images.ts';
import { createSchemaCheck, mapAt, resolve, type JsonMap } from '../fixtures/json-schema.ts';
import { openRawStream, type SseBlock } from '../fixtures/raw-stream.ts';
import { openRawWebSocket, type RawWebSocket } from '../fixtures/raw-web-socket.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

const document: JsonMap = JSON.parse(
  readFileSync(new URL('../../docs/asyncapi.json', import.meta.url), 'utf8'),
);
const check = createSchemaCheck(document);
const seen = new Set<string>();
let app: RunningApp;

beforeAll(async () => {
  app = await runApp({ EVENTS_HEARTBEAT_S: '1' });
});
afterAll(async () => app.close());

const messagesOf = (channel: string): readonly (readonly [string, JsonMap])[] =>
  Object.entries(mapAt(document, 'channels', channel, 'messages')).map(([name, message]) => [
    name,
    resolve(document, message),
  ]);

/** The message of a channel under this name; a name that a producer chose stands for image.ready. */
function messageNamed(channel: string, name: string): readonly [string, JsonMap] {
  const messages = messagesOf(channel);
  const found =
    messages.find(([, message]) => message['name'] === name) ??
    messages.find(([, message]) => message['name'] === 'image.ready');
  if (found === undefined) throw new Error(`no message ${name}`);
  return found;
}

function validate(channel: string, name: string, value: unknown, headers?: unknown): void {
  const [key, message] = messageNamed(channel, name);
  const wrong = check(message['payload'], value) || (headers ? check(message['headers'], headers) : '');
  if (wrong !== '') throw new Error(`${key}: ${wrong}\n${JSON.stringify(value).slice(0, 500)}`);
  seen.add(key);
}

function validateBlock({ id, event, data }: SseBlock): void {
  validate('events', event, JSON.parse(data), { event, ...(id === '' ? {} : { id }) });
}

function validateFrames(socket: RawWebSocket): void {
  for (const { binary, bytes } of socket.frames()) {
    const length = binary ? bytes.readUInt32BE(0) : 0;
    const text = binary ? bytes.subarray(4, 4 + length) : bytes;
    const message: JsonMap = JSON.parse(text.toString());
    validate('ws', String(message['event'] ?? message['type']), message);
    if (!binary) continue;
    expect(mapAt(message, 'data')['image_mime']).toBe('image/png');
    expect(bytes.length).toBeGreaterThan(4 + length);
    seen.add('wsBinary');
  }
}

function say(socket: RawWebSocket, message: JsonMap): void {
  validate('ws', String(message['type']), message);
  socket.send(message);
}

async function put(id: string, query: string): Promise<void> {
  const body = new Uint8Array(await png());
  const headers = { 'Content-Type': 'image/png' };
  const { ok } = await fetch(`${app.base}/images/${id}?${query}`, { method: 'PUT', body, headers });
  expect(ok).toBe(true);
}

/** One event of each kind, under the topic job:1. */
async function happen(): Promise<void> {
  await put('a', 'topic=job:1&partial=0');
  await put('a', 'topic=job:1');
  await put('b', 'topic=job:1&event=concept_progress');
  await fetch(`${app.base}/images/b`, { method: 'DELETE' });
  const partial = { type: 'image_generation.partial_image', partial_image_index: 0 };
  const b64 = Buffer.from(await png()).toString('base64');
  const body = `data: ${JSON.stringify({ ...partial, b64_json: b64 })}\n\ndata: {"type":"error"}\n\n`;
  await fetch(`${app.base}/images/c/stream?topic=job:1`, { method: 'POST', body });
}

describe('docs/asyncapi.json', () => {
  it('describes every event of a stream as it comes, and every message of a WebSocket', async () => {
    // A cursor from the future: what this server has is not all there is.
    const ahead = 'last_event_id=9999999999999-0';
    const stream = await openRawStream(app.port, `/events?topic=*&inline=full&${ahead}`);
    const json = await openRawWebSocket(app.port, `/ws?topic=image:none&${ahead}`);
    const binary = await openRawWebSocket(
      app.port,
      '/ws?topic=job:1&inline=full&inline_max=1048576&binary=1',
    );
    say(json, { type: 'subscribe', topics: ['job:*'] });
    say(json, { type: 'unsubscribe', topics: ['image:none'] });
    say(json, { type: 'ping' });
    json.send({ type: 'nonsense' });
    await until('the answers came', () => json.messages().some(({ type }) => type === 'error'));
    await happen();
    const failed = (text: string): boolean => text.includes('image.failed');
    await until('the stream had all', () => stream.events().some(({ event }) => failed(event)));
    await until('the WebSocket had all', () => json.messages().some(({ event }) => failed(String(event))));
    await until('a heartbeat came', () => json.messages().some(({ type }) => type === 'position'));
    await app.close();
    await until('all ended', () => stream.isClosed() && json.isClosed() && binary.isClosed());
    for (const block of stream.events()) validateBlock(block);
    for (const socket of [json, binary]) validateFrames(socket);
    validate('ws', 'close frame', json.closeCode());
    const documented = [...messagesOf('events'), ...messagesOf('ws')].map(([name]) => name);
    expect(documented.filter((name) => !seen.has(name))).toEqual([]);
  });

  it('refuses an event with a field that it does not have, and one without a field that it has', () => {
    const deleted = { id: 'a', topics: [] };
    const at = { event: 'image.deleted', id: '1-0' };
    expect(() => validate('events', 'image.deleted', { ...deleted, secret: 1 }, at)).toThrow('secret');
    expect(() => validate('events', 'image.deleted', { id: 'a' }, at)).toThrow('topics');
    expect(() => validate('events', 'image.deleted', deleted, { event: 'image.deleted' })).toThrow('id');
    expect(() => validate('events', 'close', { reason: 'bored' }, { event: 'close' })).toThrow('reason');
  });
});
