/**
 * Reads of images that only the origin has. Held ones were read before and must be served whatever the
 * origin does; cold ones are cleared out of every tier first, so that each read is the origin's.
 */
import { createHash } from 'node:crypto';
import type { Asker } from './asker.ts';

export interface OriginBlob {
  readonly id: string;
  /** Of its bytes, SHA-256. */
  readonly hash: string;
}

export interface OriginBlobs {
  readonly held: readonly OriginBlob[];
  readonly cold: readonly OriginBlob[];
  /** The origin says just now that there are none: a 404 is the truth. */
  isGone(): boolean;
}

export interface OriginReads {
  /** Before anything fails: held ones are taken in. */
  fill(): Promise<void>;
  getHeld(): Promise<void>;
  getCold(): Promise<void>;
  /** All of them, once it is over. */
  verify(): Promise<void>;
}

export function createOriginReads(asker: Asker, blobs: OriginBlobs): OriginReads {
  async function get({ id, hash }: OriginBlob): Promise<boolean> {
    const wasGone = blobs.isGone();
    const answer = await asker.ask(`/images/${id}`, () => (wasGone || blobs.isGone() ? [200, 404] : [200]));
    if (answer === undefined) return false;
    const isRight = createHash('sha256').update(answer.body).digest('hex') === hash;
    if (answer.status === 200 && !isRight) asker.wrong(`GET ${id}: other bytes than the origin has`);
    return answer.status === 200;
  }
  /** Where the server itself is restarted nobody is served. */
  const brokenCount = (): number => asker.tally().refused.get('broken') ?? 0;
  async function getCold(blob: OriginBlob): Promise<void> {
    await asker.ask(`/admin/cache?key=${blob.id}`, [200], { method: 'DELETE' });
    await get(blob);
  }
  const nextHeld = inTurn(blobs.held);
  const nextCold = inTurn(blobs.cold);

  return {
    async fill() {
      for (const blob of blobs.held) await get(blob);
    },
    async getHeld() {
      const blob = nextHeld();
      const broken = brokenCount();
      if (blob === undefined || (await get(blob)) || blobs.isGone() || brokenCount() > broken) return;
      asker.wrong(`GET ${blob.id}: refused, though it is held`);
    },
    async getCold() {
      const blob = nextCold();
      if (blob !== undefined) await getCold(blob);
    },
    async verify() {
      for (const blob of blobs.held) {
        if (!(await get(blob))) asker.wrong(`${blob.id} is held and refused`);
      }
      for (const blob of blobs.cold) await getCold(blob);
    },
  };
}

function inTurn(list: readonly OriginBlob[]): () => OriginBlob | undefined {
  let turns = 0;
  return () => {
    turns += 1;
    return list[turns % list.length];
  };
}
