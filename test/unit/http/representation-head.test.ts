import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { TierStep } from '../../../src/cache/lookup.ts';
import type { Entry } from '../../../src/core/entry.ts';
import {
  cacheStatus,
  etagOf,
  FIRST_HEADER,
  renderHead,
  type HeadKind,
  type HeadSettings,
} from '../../../src/http/representation-head.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 12);
const body = bodyOf(1, 10);
const entry = entryOf('image:a', body, { storedAtMs: NOW_MS - 1500 });
const settings: HeadSettings = { maxAgeS: 3600, cacheEnabled: true, allowOrigin: '*' };
const plain: HeadKind = { immutable: false, varyAccept: false, bodiless: false };

/** The block as a client reads it. */
function headers(
  of: Partial<Entry>,
  kind: Partial<HeadKind> = {},
  more: Partial<HeadSettings> = {},
): Map<string, string> {
  const block = renderHead(
    { ...entry, ...of },
    { ...plain, ...kind },
    'memory; hit',
    'cache;dur=0',
    { ...settings, ...more },
    NOW_MS,
  );
  const lines = `${FIRST_HEADER}: ${block}`.split('\r\n');
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
}

const control = (
  of: Partial<Entry>,
  kind: Partial<HeadKind> = {},
  more: Partial<HeadSettings> = {},
): string | undefined => headers(of, kind, more).get('Cache-Control');

describe('Cache-Control', () => {
  test('the configured age, or what is left of the ttl if that is less, never below zero', () => {
    expect(control({})).toBe('public, max-age=3600');
    expect(control({ expiresAtMs: NOW_MS + 10_999 })).toBe('public, max-age=10');
    expect(control({ expiresAtMs: NOW_MS + 1 })).toBe('public, max-age=0');
    expect(control({ expiresAtMs: NOW_MS - 5000 })).toBe('public, max-age=0');
    expect(control({ expiresAtMs: NOW_MS + 9_999_000 })).toBe('public, max-age=3600');
    expect(control({}, {}, { maxAgeS: 0 })).toBe('public, max-age=0');
  });

  test('a year for an address that names the version', () => {
    expect(control({}, { immutable: true })).toBe('public, max-age=31536000, immutable');
  });

  test('nothing is kept from a server that caches nothing', () => {
    expect(control({}, { immutable: true }, { cacheEnabled: false })).toBe('no-store');
  });
});

describe('the block', () => {
  test('dates have whole seconds, digests are those of the bytes', () => {
    const all = headers({});
    expect(all.get('ETag')).toBe(etagOf(entry));
    expect(all.get('Last-Modified')).toBe('Fri, 20 Nov 2026 11:59:58 GMT');
    expect(all.get('Repr-Digest')).toBe(`sha-256=:${createHash('sha256').update(body).digest('base64')}:`);
  });

  test('of bytes that were never held whole no digest is said', () => {
    expect(headers({ undigested: true, version: 'abc' }).has('Repr-Digest')).toBe(false);
  });

  test('a 304 does not describe the body', () => {
    const names = [...headers({}, { bodiless: true }).keys()];
    for (const name of ['Content-Type', 'Accept-Ranges', 'Repr-Digest']) expect(names).not.toContain(name);
    for (const name of ['ETag', 'Last-Modified', 'Cache-Control', 'Cache-Status'])
      expect(names).toContain(name);
  });

  test('Vary names what the answer depends on', () => {
    expect(headers({}).has('Vary')).toBe(false);
    expect(headers({}, { varyAccept: true }).get('Vary')).toBe('Accept');
    expect(headers({}, {}, { allowOrigin: '' }).get('Vary')).toBe('Origin');
    expect(headers({}, { varyAccept: true }, { allowOrigin: '' }).get('Vary')).toBe('Accept, Origin');
  });

  test('where origins are listed, who may read is not in the block: it is another for each', () => {
    expect([...headers({}, {}, { allowOrigin: '' }).keys()].join()).not.toContain('Access-Control');
    expect(headers({}).get('Access-Control-Allow-Origin')).toBe('*');
  });
});

describe('Cache-Status', () => {
  const status = (...steps: TierStep[]): string => cacheStatus(steps);

  test('has a member a tier, the one asked last first', () => {
    expect(status({ tier: 'memory', outcome: 'hit' })).toBe('memory; hit');
    expect(
      status(
        { tier: 'memory', outcome: 'miss', stored: true },
        { tier: 'disk', outcome: 'error' },
        { tier: 'azure', outcome: 'hit', collapsed: true },
      ),
    ).toBe('azure; hit; collapsed, disk; fwd=uri-miss; detail=unavailable, memory; fwd=uri-miss; stored');
    expect(status({ tier: 'memory', outcome: 'stale' })).toMatch(/^memory; hit; detail=stale$/);
  });
});
