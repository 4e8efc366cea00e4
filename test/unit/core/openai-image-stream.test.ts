import { expect, test } from 'vitest';
import { createImageStreamReader } from '../../../src/core/openai-image-stream.ts';

function read(...bodies: readonly unknown[]) {
  const reader = createImageStreamReader();
  return bodies.map((body) => reader.read({ name: '', data: JSON.stringify(body) }));
}

test('partials and the final of the Images API', () => {
  const common = {
    created_at: 1,
    size: '1024x1024',
    quality: 'high',
    background: 'opaque',
    output_format: 'png',
  };
  const steps = read(
    { type: 'image_generation.partial_image', b64_json: 'AA', partial_image_index: 0, ...common },
    { type: 'image_generation.partial_image', b64_json: 'BB', partial_image_index: 1, ...common },
    { type: 'image_generation.completed', b64_json: 'CC', usage: { total_tokens: 1 }, ...common },
  );
  expect(steps).toEqual([
    { kind: 'partial', slot: 0, index: 0, base64: 'AA' },
    { kind: 'partial', slot: 0, index: 1, base64: 'BB' },
    { kind: 'final', slot: 0, base64: 'CC' },
  ]);
});

test('edits read the same, and what follows a final is the next image', () => {
  const steps = read(
    { type: 'image_edit.completed', b64_json: 'AA' },
    { type: 'image_edit.partial_image', b64_json: 'BB', partial_image_index: 0 },
    { type: 'image_edit.completed', b64_json: 'CC' },
  );
  expect(steps.map((step) => step?.kind !== 'failed' && step?.slot)).toEqual([0, 1, 1]);
});

test('items of the Responses API keep apart, and their finals are in output_item.done', () => {
  const partial = { type: 'response.image_generation_call.partial_image', partial_image_index: 0 };
  const steps = read(
    { ...partial, item_id: 'a', output_index: 0, sequence_number: 1, partial_image_b64: 'AA' },
    { ...partial, item_id: 'b', output_index: 1, sequence_number: 2, partial_image_b64: 'BB' },
    { type: 'response.output_item.done', item: { type: 'image_generation_call', id: 'b', result: 'CC' } },
    { type: 'response.output_item.done', item: { type: 'message', id: 'c' } },
    { type: 'response.image_generation_call.completed', item_id: 'a' },
  );
  expect(steps).toEqual([
    { kind: 'partial', slot: 0, index: 0, base64: 'AA' },
    { kind: 'partial', slot: 1, index: 0, base64: 'BB' },
    { kind: 'final', slot: 1, base64: 'CC' },
    undefined,
    undefined,
  ]);
});

test('an error of the producer, and a known event of an unknown shape, are failures', () => {
  expect(read({ type: 'error', error: { message: 'secret' } })).toEqual([
    { kind: 'failed', reason: 'producer_error' },
  ]);
  expect(read({ type: 'image_generation.completed' })).toEqual([
    { kind: 'failed', reason: 'stream_invalid' },
  ]);
});

test('a body without a type goes by the name of its event', () => {
  const reader = createImageStreamReader();
  const step = reader.read({ name: 'image_generation.completed', data: '{"b64_json":"AA"}' });
  expect(step).toEqual({ kind: 'final', slot: 0, base64: 'AA' });
});

test('what is no JSON says nothing', () => {
  expect(createImageStreamReader().read({ name: '', data: 'hello' })).toBeUndefined();
});
