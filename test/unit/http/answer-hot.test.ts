import { pino } from 'pino';
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { describe, expect, it } from 'vitest';
import { createAccess } from '../../../src/http/access.ts';
import { answerHot } from '../../../src/http/answer-hot.ts';
import { createHttpCounters } from '../../../src/http/http-counters.ts';
import { bodyOf, entryOf } from '../../fixtures/entries.ts';

const BODY = bodyOf(1, 100);
const HOT = { entry: entryOf('image:a', BODY), body: BODY, heads: undefined };
const KIND = { immutable: false, varyAccept: false };
const WHOLE = ['writeStatus', 'writeHeader', 'endWithoutBody'];

function depsFor(origins: readonly string[]) {
  const context = {
    access: createAccess({ write: [], admin: [] }, origins),
    counters: createHttpCounters(),
    log: pino({ level: 'silent' }),
    running: new Set<never>(),
  };
  const allowOrigin = origins[0] === '*' ? ('*' as const) : ('' as const);
  return { head: { maxAgeS: 60, cacheEnabled: true, allowOrigin }, context };
}

/** Notes what is called; the request it answers has just the image. */
function answerOne(deps: ReturnType<typeof depsFor>): string[] {
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(name);
  const res = {
    writeStatus: note('writeStatus'),
    writeHeader: note('writeHeader'),
    endWithoutBody: note('endWithoutBody'),
    onAborted: () => undefined,
    cork: (write: () => void) => write(),
  } as unknown as HttpResponse;
  const headers: Record<string, string> = { 'if-none-match': `"${HOT.entry.version}"`, origin: 'https://a' };
  let isOver = false;
  const req = {
    getHeader: (name: string) => {
      if (isOver) throw new Error('the request is not there any more');
      return headers[name] ?? '';
    },
  } as unknown as HttpRequest;
  answerHot(res, req, HOT, KIND, false, deps);
  isOver = true;
  return calls;
}

describe('answerHot', () => {
  it.each([
    ['any origin', ['*'], WHOLE],
    ['an origin that is named', ['https://a'], ['writeStatus', 'writeHeader', 'writeHeader']],
  ])('writes a 304 whole, at once or in the turn that it waits for (%s)', async (_name, origins, head) => {
    const deps = depsFor(origins);
    const answers = Array.from({ length: 100 }, () => answerOne(deps));
    const waiting = answers.filter((calls) => calls.length === 0);
    // A head that goes ahead of its end is a system call more, here and at the client.
    for (const calls of answers.filter((one) => !waiting.includes(one))) {
      expect(calls.slice(0, head.length)).toEqual(head);
      expect(calls.at(-1)).toBe('endWithoutBody');
    }
    expect(waiting.length).toBeGreaterThan(0);
    await new Promise((resolve) => setImmediate(resolve));
    for (const calls of waiting) {
      expect(calls.slice(0, head.length)).toEqual(head);
      expect(calls.at(-1)).toBe('endWithoutBody');
    }
    expect(deps.context.counters.notModified).toBe(100);
  });
});
