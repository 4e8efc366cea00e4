import { beforeEach, describe, expect, test } from 'vitest';
import type { Cache } from '../../../src/cache/lookup.ts';
import type { Entry } from '../../../src/core/entry.ts';
import type { EventDraft } from '../../../src/core/event.ts';
import { imageKey, partialKey } from '../../../src/core/keys.ts';
import { AppError } from '../../../src/errors.ts';
import { deleteImage, ingestImage, type IngestDeps, type Upload } from '../../../src/flows/ingest-image.ts';
import type { IngestResult } from '../../../src/pool/job.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';
import { nobody } from '../../fixtures/signals.ts';

const NOW_MS = 1_700_000_000_000;
const bytes = bodyOf(1, 10);
const decoded: IngestResult = {
  kind: 'ingest',
  bytes,
  mime: 'image/png',
  version: entryOf('', bytes).version,
  width: 4,
  height: 3,
  frames: 1,
  thumbhash: 'hash',
  thumbnail: 'thumb',
  envelope: {},
};

/** Everything that the flow does, in its order. */
let done: string[];
let drafts: EventDraft[];
/** Where each put had to be kept. */
let wheres: (string | undefined)[];
let kept: Map<string, Entry>;
let hot: boolean;

beforeEach(() => {
  done = [];
  drafts = [];
  wheres = [];
  kept = new Map();
  hot = true;
});

function deps(image: IngestResult | AppError = decoded, more: Partial<IngestDeps> = {}): IngestDeps {
  const stored = (key: string) => {
    const entry = kept.get(key);
    return entry === undefined ? undefined : { entry, body: bytes, heads: undefined, steps: [] };
  };
  const cache = {
    peek: (key: string) => (hot ? stored(key) : undefined),
    find: async (key: string) => stored(key),
    put: async (entry: Entry, _body: Uint8Array, _signal: AbortSignal, where?: string) => {
      done.push(`put ${entry.key}`);
      wheres.push(where);
      const replaced = kept.has(entry.key);
      kept.set(entry.key, entry);
      return { replaced };
    },
    delete: async (key: string) => {
      done.push(`delete ${key}`);
      return kept.delete(key);
    },
  } as unknown as Cache;
  return {
    pool: {
      ingest: async () => {
        done.push('decode');
        if (image instanceof AppError) throw image;
        return image;
      },
    },
    cache,
    announce: async (draft) => {
      done.push(`announce ${draft.name}`);
      drafts.push(draft);
    },
    clock: { nowMs: () => NOW_MS },
    inOrder: async (_, __, work) => work(),
    publicBaseUrl: '',
    storeTimeoutMs: 1000,
    ...more,
  };
}

function upload(more: Partial<Upload> = {}): Upload {
  return { id: 'a', body: bodyOf(1, 10).buffer, form: 'raw', topics: [], ...more };
}

describe('an image', () => {
  test('is decoded, kept, announced; then its partial goes', async () => {
    const receipt = await ingestImage(upload({ topics: ['job:1'] }), deps(), nobody);
    expect(done).toEqual([
      'decode',
      `put ${imageKey('a')}`,
      'announce image.ready',
      `delete ${partialKey('a')}`,
    ]);
    expect(receipt).toMatchObject({
      id: 'a',
      version: decoded.version,
      replaced: false,
      width: 4,
      height: 3,
    });
    expect(drafts[0]).toMatchObject({
      kind: 'final',
      thumbnail: 'thumb',
      bodyKey: imageKey('a'),
      data: { id: 'a', topics: ['job:1'], full: `/images/a?v=${decoded.version}`, thumbhash: 'hash' },
    });
    expect(drafts[0]?.data).not.toHaveProperty('partial_index');
  });

  test('that is refused is neither kept nor announced', async () => {
    await expect(ingestImage(upload(), deps(new AppError('image_truncated')), nobody)).rejects.toThrow(
      'image_truncated',
    );
    expect(done).toEqual(['decode']);
  });

  test('that no tier takes is not announced', async () => {
    const failing = deps();
    const cache: Cache = {
      ...failing.cache,
      put: async () => {
        throw new AppError('storage_unavailable');
      },
    };
    await expect(ingestImage(upload(), { ...failing, cache }, nobody)).rejects.toThrow('storage_unavailable');
    expect(drafts).toEqual([]);
  });

  test('is kept behind memory; a partial may be anywhere, and staying does not undo the final', async () => {
    const all = deps();
    const cache: Cache = {
      ...all.cache,
      delete: async () => {
        throw new AppError('storage_unavailable');
      },
    };
    await ingestImage(upload({ partialIndex: 0 }), { ...all, cache }, nobody);
    const receipt = await ingestImage(upload(), { ...all, cache }, nobody);
    expect(receipt.replaced).toBe(false);
    expect(wheres).toEqual(['anywhere', 'behind-memory']);
  });

  test('that is decoded is kept and announced though its sender has left', async () => {
    const client = new AbortController();
    const leaving = deps();
    const pool = {
      ingest: async () => {
        client.abort();
        return decoded;
      },
    };
    await ingestImage(upload(), { ...leaving, pool }, client.signal);
    expect([...kept.keys()]).toEqual([imageKey('a')]);
    expect(drafts).toHaveLength(1);
  });

  test('has the ttl and topics of query and envelope; the query wins', async () => {
    const envelope = { ttlS: 5, topics: ['b', 'c'], meta: { x: 1 } };
    await ingestImage(upload({ topics: ['a', 'b'] }), deps({ ...decoded, envelope }), nobody);
    expect(kept.get(imageKey('a'))).toMatchObject({
      expiresAtMs: NOW_MS + 5000,
      topics: ['a', 'b', 'c'],
      meta: { x: 1 },
    });
    await ingestImage(upload({ ttlS: 0.25 }), deps({ ...decoded, envelope }), nobody);
    expect(kept.get(imageKey('a'))?.expiresAtMs).toBe(NOW_MS + 250);
  });

  test('may not have more than sixteen topics with those of the envelope', async () => {
    const topics = Array.from({ length: 16 }, (_, index) => `t${index}`);
    await expect(
      ingestImage(upload({ topics }), deps({ ...decoded, envelope: { topics: ['more'] } }), nobody),
    ).rejects.toThrow('topic_invalid');
    expect(kept.size).toBe(0);
  });

  test.each([
    [{ id: 'a//b' }, 'image_id_invalid'],
    [{ topics: ['*'] }, 'topic_invalid'],
    [{ eventName: 'gap' }, 'event_invalid'],
    [{ ttlS: Number.NaN }, 'query_invalid'],
    [{ ttlS: 0.09 }, 'query_invalid'],
    [{ ttlS: 31_536_001 }, 'query_invalid'],
    [{ partialIndex: 0.5 }, 'query_invalid'],
    [{ partialIndex: 1000 }, 'query_invalid'],
  ])('with %j is refused before it is decoded', async (more, code) => {
    await expect(ingestImage(upload(more), deps(), nobody)).rejects.toThrow(code);
    expect(done).toEqual([]);
  });
});

describe('a partial', () => {
  test('is kept for ten minutes beside the image, whatever its ttl, and announced as one', async () => {
    const receipt = await ingestImage(upload({ partialIndex: 3, ttlS: 99_999 }), deps(), nobody);
    expect(done).toEqual(['decode', `put ${partialKey('a')}`, 'announce image.partial']);
    expect(kept.get(partialKey('a'))?.expiresAtMs).toBe(NOW_MS + 600_000);
    expect(receipt.url).toBe(`/images/a?v=${decoded.version}&partial=1`);
    expect(drafts[0]).toMatchObject({ kind: 'partial', data: { partial_index: 3, full: receipt.url } });
  });

  test('has the name that its producer gives it', async () => {
    await ingestImage(upload({ partialIndex: 0, eventName: 'concept_progress' }), deps(), nobody);
    expect(drafts[0]).toMatchObject({ name: 'concept_progress', kind: 'partial' });
  });
});

describe('deleting', () => {
  test.each([
    ['memory', true],
    ['a tier below', false],
  ])('tells who followed the topics, where only %s knows them', async (_, isHot) => {
    await ingestImage(upload({ topics: ['job:1'] }), deps(), nobody);
    hot = isHot;
    expect(await deleteImage('a', deps())).toBe(true);
    expect(drafts.at(-1)).toEqual({
      name: 'image.deleted',
      kind: 'final',
      data: { id: 'a', topics: ['job:1'] },
      thumbnail: '',
      bodyKey: '',
    });
    expect(kept.size).toBe(0);
  });

  test('what is not there tells nobody', async () => {
    expect(await deleteImage('a', deps())).toBe(false);
    expect(drafts).toEqual([]);
    await expect(deleteImage('a/', deps())).rejects.toThrow('image_id_invalid');
  });
});
