import { expect, test } from 'vitest';
import type { Cache, Found } from '../../../src/cache/lookup.ts';
import type { Stored } from '../../../src/core/entry.ts';
import type { ImageEvent } from '../../../src/core/event.ts';
import { inlineImage } from '../../../src/flows/inline-image.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { nobody } from '../../fixtures/signals.ts';

const body = bodyOf(1, 100);
const entry = entryOf('image:a', body);
const smaller = { mime: 'image/webp', bytes: bodyOf(2, 10) };

function event(more: Partial<ImageEvent> = {}): ImageEvent {
  return {
    name: 'image.ready',
    kind: 'final',
    cursor: '1-0',
    topics: ['image:a'],
    thumbnail: '',
    bodyKey: 'image:a',
    data: { id: 'a', topics: [], version: entry.version },
    ...more,
  };
}

async function inlined(
  which: ImageEvent,
  bytesMax: number,
  stored: Stored | undefined = { entry, body },
  fits = true,
): Promise<unknown> {
  const found: Found | undefined = stored && { ...stored, steps: [] };
  // Only what an inline image is made of.
  const cache = { find: async (key: string) => (key === 'image:a' ? found : undefined) } as unknown as Cache;
  const rendered = { kind: 'render', ...smaller, version: '', width: 1, height: 1, frames: 1 } as const;
  return inlineImage(
    which,
    bytesMax,
    { cache, pool: { fit: async () => (fits ? rendered : undefined) } },
    nobody,
  );
}

test('the image itself where it fits', async () => {
  expect(await inlined(event(), 100)).toEqual({ mime: 'image/png', bytes: body });
});

test('the largest rendering that fits where it does not, nothing where none does', async () => {
  expect(await inlined(event(), 99)).toEqual(smaller);
  expect(await inlined(event(), 99, { entry, body }, false)).toBe(undefined);
});

test('never other bytes than the event speaks of', async () => {
  const replaced = entryOf('image:a', bodyOf(9, 100));
  expect(await inlined(event(), 100, { entry: replaced, body })).toBe(undefined);
});

test('nothing of an image that is gone, too large to hold, or that the event does not carry', async () => {
  expect(await inlined(event({ bodyKey: 'image:b' }), 100)).toBe(undefined);
  expect(await inlined(event({ bodyKey: '' }), 100)).toBe(undefined);
  expect(await inlined(event(), 100, { entry, body: { read: () => nothing() } })).toBe(undefined);
});

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield* [];
}
