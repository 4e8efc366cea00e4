/** The lists of several processes as those of one. Pure. */
import { ATTENTION_ROWS, type AttentionLists, type Failing, type HotImage } from './attention.ts';

function sumFailing(rows: readonly Failing[]): readonly Failing[] {
  const byCode = new Map<string, Failing>();
  for (const row of rows) {
    const known = byCode.get(row.code);
    const last = known === undefined || row.last > known.last ? row.last : known.last;
    byCode.set(row.code, { code: row.code, count: row.count + (known?.count ?? 0), last });
  }
  return [...byCode.values()];
}

function sumHot(rows: readonly HotImage[]): readonly HotImage[] {
  const byPath = new Map<string, number>();
  for (const { path, hits } of rows) byPath.set(path, (byPath.get(path) ?? 0) + hits);
  return [...byPath].map(([path, hits]) => ({ path, hits }));
}

export function mergeAttention(all: readonly AttentionLists[]): AttentionLists {
  const failing = sumFailing(all.flatMap((one) => one.failing));
  const hot = sumHot(all.flatMap((one) => one.hot_images));
  const slow = all.flatMap((one) => one.slow_requests);
  const evicted = all.flatMap((one) => one.evicted);
  return {
    slow_requests: slow.toSorted((a, b) => b.ms - a.ms).slice(0, ATTENTION_ROWS),
    failing: failing.toSorted((a, b) => b.last.localeCompare(a.last)).slice(0, ATTENTION_ROWS),
    hot_images: hot.toSorted((a, b) => b.hits - a.hits).slice(0, ATTENTION_ROWS),
    evicted: evicted.toSorted((a, b) => b.at.localeCompare(a.at)).slice(0, ATTENTION_ROWS),
  };
}
