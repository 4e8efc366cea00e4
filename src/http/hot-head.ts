/** Header blocks of hits in memory, kept on the entry; made anew once a second where a TTL runs down in max-age. */
import type { Hot } from '../cache/lookup.ts';
import { renderHead, type HeadKind, type HeadSettings } from './representation-head.ts';

const STATUS = 'memory; hit';
const TIMING = 'cache;desc=memory;dur=0';

function slotOf(kind: HeadKind): number {
  return (kind.immutable ? 1 : 0) + (kind.varyAccept ? 2 : 0) + (kind.bodiless ? 4 : 0);
}

export function hotHead(hot: Hot, kind: HeadKind, settings: HeadSettings): string {
  const nowMs = hot.entry.expiresAtMs === 0 ? 0 : Date.now();
  const second = Math.floor(nowMs / 1000);
  if (hot.heads?.second !== second) hot.heads = { second, blocks: [] };
  const slot = slotOf(kind);
  const known = hot.heads.blocks[slot];
  if (known !== undefined) return known;
  const block = renderHead(hot.entry, kind, STATUS, TIMING, settings, nowMs);
  hot.heads.blocks[slot] = block;
  return block;
}
