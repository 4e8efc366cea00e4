/**
 * Whether Redis is silent: it was lost, and gives no answer whatever. What memory has is then the newest
 * that can be known. As soon as it answers, anything at all, it can be asked, and memory is to be forgotten.
 */
import { isCluster, type RedisClient } from './redis-client.ts';

export interface SilenceListener {
  /** It answers, and nobody says yet what changed meanwhile. */
  readonly onEnd: () => void;
}

export interface Silence {
  isOn(): boolean;
  /** Changes may be missed from now on. `isUnanswered`: it was asked, and did not answer. */
  begin(isUnanswered: boolean): void;
  /** Redis answered. */
  end(): void;
}

/** An error that Redis itself answered with: a password that is wrong, too many clients. */
const ANSWER = /^(Ready check failed: )?[A-Z]{3,} \S/;

export function createSilence(client: RedisClient, wasReady: boolean, listener: SilenceListener): Silence {
  /** unsure: the connection was lost, and no other was tried yet. Redis may be well. */
  let state: 'heard' | 'unsure' | 'silent' = wasReady ? 'unsure' : 'silent';
  let isConnected = wasReady;
  let lastError = '';

  function answered(): void {
    if (state === 'heard') return;
    state = 'heard';
    listener.onEnd();
  }

  client
    .on('error', (error: Error) => (lastError = error.message))
    .on('connect', () => (lastError = ''))
    .on('ready', () => {
      isConnected = true;
      // From now on it can be asked.
      if (state === 'silent') state = 'unsure';
    })
    .on('close', () => {
      const wasConnected = isConnected;
      isConnected = false;
      if (!wasConnected && ANSWER.test(lastError)) answered();
      else if (!wasConnected) state = 'silent';
      else if (state === 'heard') state = 'unsure';
    });
  return {
    isOn: () => state === 'silent',
    begin(isUnanswered) {
      state = isUnanswered && !isCluster(client) ? 'silent' : 'unsure';
      // Perhaps nothing but the other connection was lost.
      if (state === 'unsure' && client.status === 'ready') client.ping().then(answered, () => undefined);
    },
    end() {
      // A late answer on a connection that is given up says nothing: there is nobody to ask next.
      if (client.status === 'ready') answered();
    },
  };
}
