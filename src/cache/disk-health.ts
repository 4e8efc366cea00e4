/** How the folder does: read, written, full. One state of it all for the operator, told once per change. */
import type { Log } from '../observe/log.ts';
import { createHealthNote, type HealthNote } from './health-note.ts';

export type DiskState = 'working' | 'full' | 'failing';

export interface DiskHealth {
  /** Apart: a full disk is read all the same, and each would call the other's failure over. */
  readonly reads: HealthNote;
  readonly writes: HealthNote;
  /** Nothing could be evicted for a file that the budget has room for. */
  noteFull(isFull: boolean): void;
}

export function createDiskHealth(
  log: Pick<Log, 'info' | 'warn'>,
  onState: (state: DiskState, reason: string) => void,
): DiskHealth {
  const failing = { read: '', written: '' };
  let isFull = false;
  let told: DiskState = 'working';

  function tell(): void {
    const reason = failing.read || failing.written;
    const room: DiskState = isFull ? 'full' : 'working';
    const state = reason === '' ? room : 'failing';
    if (state !== told) onState(state, reason);
    told = state;
  }
  const note = (verb: 'read' | 'written'): HealthNote =>
    createHealthNote('disk', verb, log, (reason) => {
      failing[verb] = reason;
      tell();
    });

  return {
    reads: note('read'),
    writes: note('written'),
    noteFull(full) {
      if (full === isFull) return;
      isFull = full;
      if (full) log.warn({ tier: 'disk' }, 'The disk tier is full and has nothing left to evict');
      else log.info({ tier: 'disk' }, 'The disk tier has room again');
      tell();
    },
  };
}
