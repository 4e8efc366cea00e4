/** For what can be made again: where the tier that may have it does not answer, it is not there. */
import type { Cache, Found } from '../cache/lookup.ts';
import { isTierFailure } from '../errors.ts';

export async function findOrMiss(
  key: string,
  cache: Pick<Cache, 'find'>,
  signal: AbortSignal,
  admit?: () => void,
): Promise<Found | undefined> {
  try {
    return await cache.find(key, signal, admit);
  } catch (error) {
    if (signal.aborted || !isTierFailure(error)) throw error;
    return undefined;
  }
}
