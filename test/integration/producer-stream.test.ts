import { request, type ClientRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { picture } from '../fixtures/images.ts';
import { openRawStream, type RawStream } from '../fixtures/raw-stream.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;
let stream: RawStream;

beforeAll(async () => {
  app = await runApp({ PARTIAL_INTERVAL_MS: '0' });
});
afterEach(() => stream.destroy());
afterAll(async () => app.close());

const base64 = async (width: number) => (await picture(width, 40).png().toBuffer()).toString('base64');

function sse(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, created_at: 1, output_format: 'png', ...fields })}\n\n`;
}

interface Producer {
  readonly sending: ClientRequest;
  readonly answer: Promise<{
    readonly status: number;
    readonly body: { images?: { id: string }[]; code?: string };
  }>;
}

function produce(path: string): Producer {
  const headers = { 'Content-Type': 'text/event-stream' };
  const sending = request(`${app.base}/images/${path}`, { method: 'POST', headers });
  const answer = new Promise<Awaited<Producer['answer']>>((resolve, reject) => {
    sending.on('error', reject).on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
  });
  return { sending, answer };
}

async function follow(topic: string): Promise<void> {
  stream = await openRawStream(app.port, `/events?topic=${topic}`);
  await eventually(() => stream.head() !== '', 'the stream is open');
}
const names = () => stream.events().map(({ event }) => event);

test('2.4 each partial is at the subscriber before the next has come in whole', async () => {
  await follow('job:slow');
  const { sending, answer } = produce('slow/stream?topic=job:slow');
  for (const index of [0, 1, 2]) {
    const text = sse('image_generation.partial_image', {
      b64_json: await base64(50 + index),
      partial_image_index: index,
    });
    sending.write(text.slice(0, 20));
    sending.write(text.slice(20));
    await eventually(() => stream.events().length === index + 1, `partial ${index} is told`);
  }
  sending.end(sse('image_generation.completed', { b64_json: await base64(60) }));
  expect(await answer).toMatchObject({ status: 200, body: { images: [{ id: 'slow' }] } });
  await eventually(() => names().length === 4, 'the final is told');
  expect(names()).toEqual(['image.partial', 'image.partial', 'image.partial', 'image.ready']);
  expect(stream.events().map(({ data }) => JSON.parse(data).partial_index)).toEqual([0, 1, 2, undefined]);
  expect((await app.get('/images/slow')).status).toBe(200);
});

test('2.4 images of one response keep apart', async () => {
  await follow('job:many');
  const partial = 'response.image_generation_call.partial_image';
  const done = (id: string, result: string) =>
    sse('response.output_item.done', { item: { type: 'image_generation_call', id, result } });
  const { sending, answer } = produce('many/stream?topic=job:many');
  sending.write(sse(partial, { item_id: 'a', partial_image_index: 0, partial_image_b64: await base64(51) }));
  sending.write(sse(partial, { item_id: 'b', partial_image_index: 0, partial_image_b64: await base64(52) }));
  sending.end(done('b', await base64(62)) + done('a', await base64(61)));
  expect((await answer).body.images?.map(({ id }) => id)).toEqual(['many/2', 'many']);
  await eventually(() => names().length === 4, 'all is told');
  const ids = stream.events().map(({ data }) => JSON.parse(data).id);
  expect(ids).toEqual(['many', 'many/2', 'many/2', 'many']);
});

test('2.4 an error of the producer is announced as a failure, without its words', async () => {
  await follow('image:bad');
  const { sending, answer } = produce('bad/stream');
  sending.end(sse('error', { error: { message: 'secret' } }));
  expect(await answer).toMatchObject({ status: 422, body: { code: 'stream_failed' } });
  await eventually(() => names().length === 1, 'it is told');
  expect(names()).toEqual(['image.failed']);
  expect(stream.events()[0]?.data).not.toContain('secret');
});

test('2.4 a producer that breaks off is announced as a failure', async () => {
  await follow('image:broken');
  const { sending, answer } = produce('broken/stream');
  sending.write(
    sse('image_generation.partial_image', { b64_json: await base64(50), partial_image_index: 0 }),
  );
  await eventually(() => names().length === 1, 'the partial is told');
  sending.destroy();
  await answer.catch(() => undefined);
  await eventually(() => names().length === 2, 'the failure is told');
  expect(names()).toEqual(['image.partial', 'image.failed']);
});
