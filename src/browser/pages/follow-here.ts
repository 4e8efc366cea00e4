/**
 * The stream of this page from its own server: its state in the bar, and a token for it where the
 * server wants to know who follows.
 */
import { follow, type Following, type FollowOptions, type FollowState } from '../client.ts';
import { askToken } from './ask-token.ts';
import { elementOf } from './build-element.ts';
import { authorization } from './call-server.ts';

const WORDS: Readonly<Record<FollowState, string>> = {
  connecting: 'Connecting',
  open: 'Live',
  waiting: 'Reconnecting',
  offline: 'Offline',
  paused: 'Paused',
  closed: 'Refused',
};
/** What was made shortly before the page was opened is of interest too. */
const LOOK_BACK_MS = 10 * 60_000;

/** Bought with the token that the visitor gave; '' where no token was asked for. */
async function buyTicket(): Promise<string> {
  const headers = authorization('follow');
  if (headers === undefined) return '';
  const response = await fetch('events/ticket', { method: 'POST', headers });
  if (!response.ok) return '';
  const { ticket } = (await response.json()) as { readonly ticket?: string };
  return ticket ?? '';
}

export function followHere(options: Pick<FollowOptions, 'topics' | 'onEvent'>): Following {
  const pill = elementOf('#connection', HTMLElement);
  const unlock = elementOf('#unlock', HTMLButtonElement);

  function show(state: FollowState, reason: string): void {
    pill.dataset['state'] = state;
    pill.textContent = WORDS[state];
    pill.title = reason;
    unlock.hidden = reason !== 'token_missing';
  }

  const start = (): Following =>
    follow({
      ...options,
      url: document.baseURI,
      since: `${Date.now() - LOOK_BACK_MS}-0`,
      ticket: buyTicket,
      onState: show,
    });

  let following = start();
  const over = new AbortController();
  const onUnlock = async (): Promise<void> => {
    if (!(await askToken('follow'))) return;
    following.close();
    following = start();
  };
  unlock.addEventListener('click', () => void onUnlock(), { signal: over.signal });
  return {
    get cursor() {
      return following.cursor;
    },
    close() {
      over.abort();
      following.close();
    },
  };
}
