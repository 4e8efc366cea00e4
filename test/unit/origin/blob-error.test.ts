import { describe, expect, it } from 'vitest';
import { readBlobError } from '../../../src/origin/blob-error.ts';

function thrown(
  statusCode: number | undefined,
  code?: string,
  headers: Readonly<Record<string, string>> = {},
) {
  return { statusCode, code, response: { headers: { get: (name: string) => headers[name] } } };
}

describe('what a failed call of Azure means', () => {
  it.each([
    [thrown(304), { kind: 'unchanged' }],
    [thrown(412, 'ConditionNotMet'), { kind: 'changed' }],
    [thrown(404, 'BlobNotFound'), { kind: 'missing' }],
    [thrown(404), { kind: 'missing' }],
    [thrown(404, 'ContainerNotFound'), { kind: 'failed', alive: true }],
    [
      thrown(416, 'InvalidRange', { 'content-range': 'bytes */11' }),
      { kind: 'unsatisfiable', totalBytes: 11 },
    ],
    [thrown(403), { kind: 'failed', alive: true }],
    [thrown(409), { kind: 'failed', alive: true }],
    [thrown(429, undefined, { 'retry-after': '7' }), { kind: 'failed', alive: false, retryAfterMs: 7000 }],
    [thrown(503, 'ServerBusy'), { kind: 'failed', alive: false, retryAfterMs: 0 }],
    [thrown(undefined, 'ECONNREFUSED'), { kind: 'failed', alive: false }],
    [new Error('socket hang up'), { kind: 'failed', alive: false }],
    ['nonsense', { kind: 'failed', alive: false }],
  ])('%o', (error, expected) => {
    expect(readBlobError(error, 0)).toMatchObject(expected);
  });

  it('reads a date that says when to come again', () => {
    const nowMs = Date.parse('2026-11-20T12:00:00Z');
    const busy = thrown(503, undefined, { 'retry-after': 'Fri, 20 Nov 2026 12:00:09 GMT' });
    expect(readBlobError(busy, nowMs)).toMatchObject({ retryAfterMs: 9000 });
  });

  it('tells a caller no word of what Azure said', () => {
    const failure = readBlobError(new Error('secret account name'), 0);
    expect(failure.kind === 'failed' && failure.error.detail).toBe('Azure cannot be reached.');
  });
});
