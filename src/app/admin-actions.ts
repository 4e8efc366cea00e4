/** What an administrator does to the memory of one process, done in all of them. */
import type { Cache } from '../cache/lookup.ts';
import { imageKey, partialKey } from '../core/keys.ts';
import type { Warmer, WarmProgress } from '../flows/warm-cache.ts';
import type { Log } from '../observe/log.ts';
import type { Peers } from '../processes/peers.ts';

export interface AdminActionDeps {
  readonly cache: Pick<Cache, 'invalidate' | 'invalidateAll'>;
  readonly warmer: Warmer;
  readonly log: Pick<Log, 'warn'>;
}

export interface AdminActions {
  warm(ids: readonly string[]): WarmProgress;
  onCleared(id?: string): void;
}

type AdminPeers = Pick<Peers<unknown>, 'tell' | 'onTold'>;

export function createAdminActions(deps: AdminActionDeps, peers: AdminPeers | undefined): AdminActions {
  const { cache, warmer, log } = deps;
  const warmHere = (ids: readonly string[]): WarmProgress => warmer.add(ids.map(imageKey));

  function forget(id: string | undefined): void {
    if (id === undefined) return cache.invalidateAll();
    cache.invalidate(imageKey(id));
    cache.invalidate(partialKey(id));
  }

  peers?.onTold((note) => {
    if (note.kind === 'cleared') return forget(note.id);
    try {
      warmHere(note.ids);
    } catch (error) {
      log.warn(
        { err: error },
        'what another process was told to warm is too much here: ask for less at once',
      );
    }
  });

  return {
    warm(ids) {
      const progress = warmHere(ids);
      peers?.tell({ kind: 'warm', ids });
      return progress;
    },
    // Redis tells of what it had; this is for what only memory had.
    onCleared: (id) => peers?.tell(id === undefined ? { kind: 'cleared' } : { kind: 'cleared', id }),
  };
}
