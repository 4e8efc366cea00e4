/**
 * W3C Trace Context: what of a `traceparent` header may be believed, and which call it belongs to. A trace
 * is noted at the AbortSignal of its request, which goes wherever the request's work goes. Pure otherwise.
 */

export interface Trace {
  /** 32 lower case hex digits: nothing else that a client sent gets into the log. */
  readonly traceId: string;
  /** As it came, to be passed on. */
  readonly traceparent: string;
}

const SHAPE = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;
/** The specification's version of today has no more fields; those of a later one are not passed on. */
const KNOWN_CHARS = 55;

/** Undefined: there is none, or it is not as the specification wants it. */
export function parseTraceparent(header: string): Trace | undefined {
  const match = SHAPE.exec(header);
  const [, version, traceId, more] = match ?? [];
  if (traceId === undefined || (version === '00' && more !== undefined)) return undefined;
  return { traceId, traceparent: header.slice(0, KNOWN_CHARS) };
}

const traces = new WeakMap<AbortSignal, Trace>();

export function noteTrace(signal: AbortSignal, trace: Trace): void {
  traces.set(signal, trace);
}

export function traceOf(signal: AbortSignal): Trace | undefined {
  return traces.get(signal);
}

/** Work that is done under another signal is part of the same trace. */
export function carryTrace(from: AbortSignal, to: AbortSignal): void {
  const trace = traces.get(from);
  if (trace !== undefined) traces.set(to, trace);
}
