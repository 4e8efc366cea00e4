/**
 * Whether Redis was heard since it was lost. As long as it was not, what memory has is the newest that can
 * be known; with the first answer it can be asked again, and memory is to be forgotten.
 */
import type { RedisClient } from './redis-client.ts';

export interface SilenceListener {
  /** It answers, and nobody says yet what changed meanwhile. */
  readonly onEnd: () => void;
}

export interface Silence {
  isOn(): boolean;
  /** Changes may be missed from now on. */
  begin(): void;
  /** Redis answered. */
  end(): void;
}

export function createSilence(client: RedisClient, { onEnd }: SilenceListener): Silence {
  let isOn = true;

  function end(): void {
    // A late answer on a connection that is given up says nothing: there is nobody to ask next.
    if (!isOn || client.status !== 'ready') return;
    isOn = false;
    onEnd();
  }

  client.on('close', () => {
    isOn = true;
  });
  return {
    isOn: () => isOn,
    begin() {
      isOn = true;
      // Perhaps nothing but the other connection was lost.
      if (client.status === 'ready') client.ping().then(end, () => undefined);
    },
    end,
  };
}
