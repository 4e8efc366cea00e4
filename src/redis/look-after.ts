/**
 * What becomes of one change to an image in Redis: nothing, or one announcement over all instances. Says
 * in which order things are asked and noted; queues and retries are the announcer's business.
 */
import type { ImageStates } from './image-state.ts';

/** What is done about a change; reads the image through the cache and publishes. */
export interface AnnounceFlow {
  /** The image as it is now; undefined: gone, or not an image. */
  readonly read: (id: string, signal: AbortSignal) => Promise<ReadImage | undefined>;
  readonly deleted: (id: string, signal: AbortSignal) => Promise<void>;
}

export interface ReadImage {
  readonly version: string;
  /** False: not an image after all. */
  readonly announce: (signal: AbortSignal) => Promise<boolean>;
}

/** passed: looked after by another instance, or nothing new. */
export type Outcome = 'ready' | 'deleted' | 'passed';

export function createLookAfter(
  states: ImageStates,
  flow: AnnounceFlow,
  isWaiting: (id: string) => boolean,
): (id: string, signal: AbortSignal) => Promise<Outcome> {
  async function foreign(id: string, signal: AbortSignal): Promise<Outcome> {
    const image = await flow.read(id, signal);
    // Changed again while it was read: that is looked at next, and this is not news any more.
    if (image === undefined || isWaiting(id)) return 'passed';
    if (!(await states.noteVersion(id, image.version))) return 'passed';
    try {
      return (await image.announce(signal)) ? 'ready' : 'passed';
    } catch (error) {
      await states.forget(id);
      throw error;
    }
  }

  return async (id, signal) => {
    // Asked together: who may not look after it has read a few bytes for nothing.
    const [isMine, state] = await Promise.all([states.claim(id), states.look(id)]);
    if (!isMine) return 'passed';
    if (state.kind === 'foreign') return foreign(id, signal);
    if (state.kind === 'own') {
      // Announced by the instance that wrote it.
      await states.noteVersion(id, state.version);
      return 'passed';
    }
    if (!(await states.noteGone(id))) return 'passed';
    await flow.deleted(id, signal);
    return 'deleted';
  };
}
