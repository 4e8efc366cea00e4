import { describe, expect, test } from 'vitest';
import type { Cache, Found } from '../../../src/cache/lookup.ts';
import type { Entry, Stored } from '../../../src/core/entry.ts';
import { imageKey } from '../../../src/core/keys.ts';
import { parseVariant } from '../../../src/core/variant.ts';
import { AppError } from '../../../src/errors.ts';
import { serveHot, serveImage, type ImageRequest, type ServeDeps } from '../../../src/flows/serve-image.ts';
import { createGate } from '../../../src/pool/gate.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { createLatch } from '../../fixtures/latch.ts';
import { nobody, turn } from '../../fixtures/signals.ts';

const MIB = 1024 * 1024;
const SMALL = bodyOf(1, 100);
const facts = { width: 1000, height: 1000, frames: 1, thumbhash: '', thumbnail: '' };

function request(query = ''): ImageRequest {
  const variant = parseVariant(new URLSearchParams(query), new Set([64, 128, 256]));
  return { id: 'a', partial: false, variant, accept: '' };
}

/** A cache that is a map, with what happens on the way to it. */
function scripted(before: (call: 'find' | 'put', key: string) => Promise<void> = async () => undefined) {
  const kept = new Map<string, Stored>();
  const found = (key: string): Found | undefined => {
    const stored = kept.get(key);
    return stored === undefined ? undefined : { ...stored, steps: [{ tier: 'disk', outcome: 'hit' }] };
  };
  const cache = {
    peek: () => undefined,
    has: (key: string) => kept.has(key),
    find: async (key: string) => {
      const known = found(key);
      await before('find', key);
      return known;
    },
    put: async (entry: Entry, body: Uint8Array) => {
      await before('put', entry.key);
      kept.set(entry.key, { entry, body });
      return { replaced: false };
    },
    delete: async (key: string) => kept.delete(key),
  } as unknown as Cache;
  return { kept, cache };
}

function deps(cache: Cache, more: Partial<ServeDeps> = {}) {
  let renders = 0;
  const flights = new Map<string, Promise<Found>>();
  const all: ServeDeps = {
    cache,
    pool: {
      render: async (source, variant) => {
        renders += 1;
        const bytes = bodyOf(source.byteLength + variant.width, 10);
        return {
          kind: 'render',
          mime: 'image/webp',
          version: entryOf('', bytes).version,
          bytes,
          width: 1,
          height: 1,
          frames: 1,
        };
      },
    },
    coalesceRenders: async (key, signal, work) => {
      const flight = flights.get(key) ?? work(signal).finally(() => flights.delete(key));
      flights.set(key, flight);
      return flight;
    },
    largeSources: createGate(1, 10),
    renderSourceBytesMax: 4 * MIB,
    ...more,
  };
  return { all, renders: () => renders };
}

function imageOf(body: Stored['body'], bytes: number): Stored {
  return { entry: { ...entryOf(imageKey('a'), SMALL), bytes, image: facts }, body };
}

describe('a rendering', () => {
  test('is made once and kept under its image, with the image as long as that lives', async () => {
    const { kept, cache } = scripted();
    const source = imageOf(SMALL, 100);
    kept.set(imageKey('a'), { ...source, entry: { ...source.entry, expiresAtMs: 99 } });
    const { all, renders } = deps(cache);
    const first = await serveImage(request('w=64'), all, nobody);
    expect(first.entry).toMatchObject({
      parent: imageKey('a'),
      parentVersion: source.entry.version,
      storedAtMs: source.entry.storedAtMs,
      expiresAtMs: 99,
    });
    expect(first.steps).toEqual([{ tier: 'render', outcome: 'miss', stored: true }]);
    expect((await serveImage(request('w=64'), all, nobody)).steps).toEqual([
      { tier: 'disk', outcome: 'hit' },
    ]);
    expect(renders()).toBe(1);
  });

  test('that was made between the look for it and the turn to make it is not made again', async () => {
    const { kept, cache } = scripted();
    kept.set(imageKey('a'), imageOf(SMALL, 100));
    const { all, renders } = deps(cache);
    const looked = createLatch();
    const slow = scripted(async (call, key) => {
      if (call === 'find' && key.startsWith('variant:')) await looked.opened;
    });
    for (const [key, stored] of kept) slow.kept.set(key, stored);
    const late = serveImage(request('w=64'), { ...all, cache: slow.cache }, nobody);
    await turn();
    const early = await serveImage(request('w=64'), all, nobody);
    slow.kept.set(early.entry.key, early);
    looked.open();
    expect((await late).entry.version).toBe(early.entry.version);
    expect(renders()).toBe(1);
  });

  test.each(['deleted', 'replaced'])(
    'of an image that is %s meanwhile is an answer, but is not left behind',
    async (how) => {
      const { kept, cache } = scripted(async (call) => {
        if (call !== 'put') return;
        if (how === 'deleted') kept.delete(imageKey('a'));
        else
          kept.set(imageKey('a'), {
            ...imageOf(SMALL, 100),
            entry: { ...entryOf(imageKey('a'), bodyOf(9, 9)), image: facts },
          });
      });
      kept.set(imageKey('a'), imageOf(SMALL, 100));
      const found = await serveImage(request('w=64'), deps(cache).all, nobody);
      expect(found.body).toHaveLength(10);
      expect(found.steps).toEqual([{ tier: 'render', outcome: 'miss', stored: false }]);
      expect([...kept.keys()].filter((key) => key.startsWith('variant:'))).toEqual([]);
    },
  );

  test('that no tier keeps is an answer all the same', async () => {
    const { kept, cache } = scripted(async (call) => {
      if (call === 'put') throw new AppError('storage_unavailable');
    });
    kept.set(imageKey('a'), imageOf(SMALL, 100));
    const found = await serveImage(request('w=64'), deps(cache).all, nobody);
    expect(found.steps).toEqual([{ tier: 'render', outcome: 'miss', stored: false }]);
  });
});

describe('large originals', () => {
  const large = bodyOf(2, 2 * MIB);

  test('are in memory one at a time, however many renderings are asked for', async () => {
    let reading = 0;
    let most = 0;
    const body = {
      async *read() {
        reading += 1;
        most = Math.max(most, reading);
        await turn();
        yield large;
        reading -= 1;
      },
    };
    const { kept, cache } = scripted();
    kept.set(imageKey('a'), imageOf(body, large.byteLength));
    const { all, renders } = deps(cache);
    const queries = ['w=64', 'w=128', 'w=256', 'h=64', 'h=128'];
    const found = await Promise.all(queries.map(async (query) => serveImage(request(query), all, nobody)));
    expect([most, renders(), new Set(found.map(({ entry }) => entry.key)).size]).toEqual([1, 5, 5]);
  });

  test('over the bound are served as they are, not rendered', async () => {
    const { kept, cache } = scripted();
    kept.set(imageKey('a'), imageOf({ read: () => bodyless() }, 5 * MIB));
    const { all } = deps(cache);
    await expect(serveImage(request('w=64'), all, nobody)).rejects.toThrow('image_too_large');
    expect((await serveImage(request(), all, nobody)).entry.bytes).toBe(5 * MIB);
  });

  test.each([
    ['too short', [large.subarray(5)]],
    ['too long', [large, large.subarray(0, 1)]],
  ])('whose bytes are %s are not rendered', async (_, pieces) => {
    const { kept, cache } = scripted();
    kept.set(imageKey('a'), imageOf({ read: () => those(pieces) }, large.byteLength));
    const { all, renders } = deps(cache);
    const answer = serveImage(request('w=64'), all, nobody);
    await expect(answer).rejects.toThrow('body_vanished');
    expect(renders()).toBe(0);
  });

  test('that give up their place when reading them fails', async () => {
    const { kept, cache } = scripted();
    kept.set(imageKey('a'), imageOf({ read: () => those([]) }, large.byteLength));
    const { all } = deps(cache);
    await expect(serveImage(request('w=64'), all, nobody)).rejects.toThrow('body_vanished');
    kept.set(imageKey('a'), imageOf({ read: () => those([large]) }, large.byteLength));
    expect((await serveImage(request('w=64'), all, nobody)).body).toHaveLength(10);
  });
});

async function* those(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function* bodyless(): AsyncGenerator<Uint8Array> {
  yield* [];
  throw new Error('must not be read');
}

describe('what is not there', () => {
  test('is image_not_found, as original and as rendering', async () => {
    const { all } = deps(scripted().cache);
    for (const query of ['', 'w=64']) {
      await expect(serveImage(request(query), all, nobody)).rejects.toThrow('image_not_found');
    }
  });

  test('in memory is not hot', () => {
    expect(serveHot(request(), scripted().cache)).toBe(undefined);
    expect(serveHot(request('w=64'), scripted().cache)).toBe(undefined);
  });
});
