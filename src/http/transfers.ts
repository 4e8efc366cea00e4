/**
 * Answers whose body is under way: a graceful stop waits for them, and what they hold is bounded. A body
 * that memory has evicted lives on in the answer of a slow reader; of thousands of such readers, each of
 * another image, those that have taken longest are cut. Knows bytes, not what they mean.
 */
import type { HttpResponse } from 'uWebSockets.js';

interface Held {
  readonly bytes: number;
  /** Answers that send it: it is held once. */
  answers: number;
}

/** Each with what it holds; oldest first. */
const underWay = new Map<HttpResponse, object>();
const held = new Map<object, Held>();
let heldBytes = 0;
let limitBytes = Number.POSITIVE_INFINITY;
let cut = 0;

export interface TransferStats {
  readonly underWay: number;
  readonly heldBytes: number;
  /** Answers ended early because others wanted their room. */
  readonly cut: number;
}

export function limitTransfers(bytes: number): void {
  limitBytes = bytes;
}

export function transferStats(): TransferStats {
  return { underWay: underWay.size, heldBytes, cut };
}

/** `what`, of so many bytes, stays in memory until the answer ends; many answers may hold the same. */
export function beginTransfer(res: HttpResponse, what: object, bytes: number): void {
  const known = held.get(what);
  if (known === undefined) {
    held.set(what, { bytes, answers: 1 });
    heldBytes += bytes;
  } else known.answers += 1;
  underWay.set(res, what);
  for (const [oldest] of underWay) {
    if (heldBytes <= limitBytes || oldest === res) break;
    cut += 1;
    endTransfer(oldest);
    // Its onAborted tells whoever reads the body for it.
    oldest.close();
  }
}

/** All of it is sent, or the client has left: whoever registered onAborted says so. */
export function endTransfer(res: HttpResponse): void {
  const what = underWay.get(res);
  const known = what === undefined ? undefined : held.get(what);
  if (what === undefined || known === undefined) return;
  underWay.delete(res);
  known.answers -= 1;
  if (known.answers > 0) return;
  held.delete(what);
  heldBytes -= known.bytes;
}
