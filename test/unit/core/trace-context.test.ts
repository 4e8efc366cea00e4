import { describe, expect, it } from 'vitest';
import { carryTrace, noteTrace, parseTraceparent, traceOf } from '../../../src/core/trace-context.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const VALID = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

describe('traceparent', () => {
  it('gives its trace id', () => {
    expect(parseTraceparent(VALID)).toEqual({ traceId: TRACE_ID, traceparent: VALID });
  });

  it('of a later version is believed as far as it is known', () => {
    expect(parseTraceparent(`cc${VALID.slice(2)}-what-comes`)).toEqual({
      traceId: TRACE_ID,
      traceparent: `cc${VALID.slice(2)}`,
    });
  });

  it.each([
    ['', 'nothing'],
    [VALID.toUpperCase(), 'upper case'],
    [`ff${VALID.slice(2)}`, 'a version that is forbidden'],
    [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, 'no trace'],
    [`00-${TRACE_ID}-${'0'.repeat(16)}-01`, 'no parent'],
    [`${VALID}-more`, 'more than its version has'],
    [`${VALID}\r\nX-Evil: 1`, 'a second line'],
    [` ${VALID}`, 'white space'],
    [`${VALID}, ${VALID}`, 'two of them'],
    [`00-${TRACE_ID.slice(1)}-00f067aa0ba902b7-01`, 'too short'],
  ])('%j is none: %s', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});

it('a trace goes with the work, from signal to signal', () => {
  const [request, flight, other] = [1, 2, 3].map(() => new AbortController().signal);
  if (request === undefined || flight === undefined || other === undefined) throw new Error('no signals');
  const trace = { traceId: TRACE_ID, traceparent: VALID };
  noteTrace(request, trace);
  carryTrace(request, flight);
  carryTrace(other, flight);
  expect([traceOf(request), traceOf(flight), traceOf(other)]).toEqual([trace, trace, undefined]);
});
