/** Brings into the primary tier what only the fallback took while the primary was away, or full. */
import type { Tier } from '../cache/tier.ts';
import { isWhole, type Stored } from '../core/entry.ts';
import { AppError } from '../errors.ts';
import type { OutageLedger, Owed } from './outage-ledger.ts';

export interface Sides {
  readonly primary: Tier;
  readonly fallback: Tier;
  readonly ledger: OutageLedger;
  /** What the primary refused lately it refused because it is full, not because of what it was. */
  readonly isFull: () => boolean;
}

/** Rejects at the first failure of the primary, or when it is full; what is not done yet stays in the ledger. */
export async function makeUp(sides: Sides): Promise<void> {
  const { primary, ledger } = sides;
  const { signal } = new AbortController();
  for (let test = ledger.firstClear(); test !== undefined; test = ledger.firstClear()) {
    await primary.deleteWhere(test, signal);
    ledger.settleClear(test);
  }
  for (const key of ledger.keys()) {
    const owed = ledger.owedOf(key);
    // Changed anew meanwhile: that is still owed, or the primary took it.
    const isOvertaken = (): boolean => ledger.owedOf(key) !== owed || ledger.isChanging(key);
    if (owed === undefined || isOvertaken()) continue;
    if (owed.change === 'delete') await primary.delete(key, signal);
    else await bringOver(key, owed, isOvertaken, sides, signal);
    if (isOvertaken()) continue;
    ledger.settle(key);
    // Only now: until then it is what readers get.
    if (owed.change === 'put') await sides.fallback.delete(key, signal);
  }
}

/** What another program wrote since the primary is back is newer than anything kept before. */
async function bringOver(
  key: string,
  owed: Owed,
  isOvertaken: () => boolean,
  { primary, fallback, isFull }: Sides,
  signal: AbortSignal,
): Promise<void> {
  const mine = await fallback.get(key, signal);
  const theirs = await primary.get(key, signal);
  if (mine === undefined) {
    // It ran out, or had to make room: what it replaced must not come back in its place.
    const isOlder = theirs !== undefined && theirs.entry.storedAtMs <= owed.storedAtMs;
    if (isOlder && !isOvertaken()) await primary.delete(key, signal);
    return;
  }
  const body = await wholeBody(mine, signal);
  const isNewer = theirs === undefined || mine.entry.storedAtMs > theirs.entry.storedAtMs;
  if (isOvertaken() || !isNewer) return;
  const isTaken = await primary.put(mine.entry, body, signal);
  if (!isTaken && isFull()) throw new AppError('storage_unavailable', 'the primary is full');
}

async function wholeBody({ entry, body }: Stored, signal: AbortSignal): Promise<Uint8Array> {
  if (isWhole(body)) return body;
  const pieces: Uint8Array[] = [];
  for await (const piece of body.read(0, entry.bytes - 1, signal)) pieces.push(piece);
  return Buffer.concat(pieces);
}
