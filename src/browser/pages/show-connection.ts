/** The pill in the bar: how the stream of this page stands, in words. */
import type { FollowState } from '../client.ts';

const WORDS: Readonly<Record<FollowState, string>> = {
  connecting: 'Connecting',
  open: 'Live',
  waiting: 'Reconnecting',
  offline: 'Offline',
  paused: 'Paused',
  closed: 'Refused',
};

export function showConnection(pill: HTMLElement, state: FollowState, reason: string): void {
  pill.dataset['state'] = state;
  pill.textContent = WORDS[state];
  pill.title = state === 'closed' ? `The server refuses this stream: ${reason}` : reason;
}
