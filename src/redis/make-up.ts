/** Brings into the primary tier what only the fallback took while the primary was away. */
import type { Tier } from '../cache/tier.ts';
import { isWhole, type Stored } from '../core/entry.ts';
import type { OutageLedger } from './outage-ledger.ts';

/** Rejects at the first failure of the primary; what is not done yet stays in the ledger. */
export async function makeUp(primary: Tier, fallback: Tier, ledger: OutageLedger): Promise<void> {
  const { signal } = new AbortController();
  for (let test = ledger.firstClear(); test !== undefined; test = ledger.firstClear()) {
    await primary.deleteWhere(test, signal);
    ledger.settleClear(test);
  }
  for (let key = ledger.firstKey(); key !== undefined; key = ledger.firstKey()) {
    const change = ledger.changeOf(key);
    if (change === 'delete') await primary.delete(key, signal);
    else await bringOver(key, { primary, fallback, ledger }, signal);
    // Changed again meanwhile, while the primary was away again: that is still owed.
    if (ledger.changeOf(key) === change) ledger.settle(key);
  }
}

interface Sides {
  readonly primary: Tier;
  readonly fallback: Tier;
  readonly ledger: OutageLedger;
}

/** What another program wrote since the primary is back is newer than anything kept before. */
async function bringOver(
  key: string,
  { primary, fallback, ledger }: Sides,
  signal: AbortSignal,
): Promise<void> {
  const mine = await fallback.get(key, signal);
  const theirs = await primary.get(key, signal);
  const body = mine === undefined ? undefined : await wholeBody(mine, signal);
  const isNewer = theirs === undefined || (mine?.entry.storedAtMs ?? 0) > theirs.entry.storedAtMs;
  // Settled: a newer value is on its way to the primary, and must not be overtaken by this one.
  if (ledger.changeOf(key) !== 'put') return;
  if (mine !== undefined && body !== undefined && isNewer) await primary.put(mine.entry, body, signal);
  await fallback.delete(key, signal);
}

async function wholeBody({ entry, body }: Stored, signal: AbortSignal): Promise<Uint8Array> {
  if (isWhole(body)) return body;
  const pieces: Uint8Array[] = [];
  for await (const piece of body.read(0, entry.bytes - 1, signal)) pieces.push(piece);
  return Buffer.concat(pieces);
}
