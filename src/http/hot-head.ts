/** Header blocks of hits in memory, kept on the entry; made anew once a second where a TTL runs down in max-age. */
import type { HeadBlocks, Hot } from '../cache/lookup.ts';
import type { FoundKind } from './answer-found.ts';
import { etagOf, renderHead, type HeadSettings } from './representation-head.ts';

const STATUS = 'memory; hit';
const TIMING = 'cache;desc=memory;dur=0';

function slotOf(kind: FoundKind, bodiless: boolean): number {
  return (kind.immutable ? 1 : 0) + (kind.varyAccept ? 2 : 0) + (bodiless ? 4 : 0);
}

/** What is kept of the entry for now. */
export function hotHeads(hot: Hot): HeadBlocks {
  const second = hot.entry.expiresAtMs === 0 ? 0 : Math.floor(Date.now() / 1000);
  const { heads } = hot;
  if (heads?.second === second) return heads;
  hot.heads = { second, etag: etagOf(hot.entry), blocks: [] };
  return hot.heads;
}

export function hotHead(
  hot: Hot,
  heads: HeadBlocks,
  kind: FoundKind,
  bodiless: boolean,
  settings: HeadSettings,
): ArrayBuffer {
  const slot = slotOf(kind, bodiless);
  const known = heads.blocks[slot];
  if (known !== undefined) return known;
  const text = renderHead(hot.entry, { ...kind, bodiless }, STATUS, TIMING, settings, Date.now());
  const block = new Uint8Array(Buffer.from(text, 'latin1')).buffer;
  heads.blocks[slot] = block;
  return block;
}
