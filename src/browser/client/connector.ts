/**
 * At most one connection at a time: what is old is closed before something new opens, a ticket that
 * comes too late opens nothing, and a connection that is silent for too long counts as ended.
 */
import type { Link, LinkHandlers } from './link.ts';
import { createTimer } from './timer.ts';

/** Three heartbeats of the default 15 s: what is silent for longer is dead, whatever TCP says. */
const SILENCE_MS = 45_000;

/** Gets ready (which may take a ticket), then gives the function that opens the connection. */
export type Dial = (handlers: LinkHandlers) => Promise<() => Link>;

export interface Connector {
  isBusy(): boolean;
  start(dial: Dial): Promise<void>;
  stop(): void;
  /** Ends it as if the network had. */
  fail(reason: string): void;
}

export function createConnector(on: LinkHandlers): Connector {
  let link: Link | undefined;
  let turn = 0;
  const silence = createTimer(() => fail('silent'));

  function stop(): void {
    turn += 1;
    silence.clear();
    link?.close();
    link = undefined;
  }

  function fail(reason: string): void {
    stop();
    on.onEnd({ reason, retry: true });
  }

  const handlers: LinkHandlers = {
    ...on,
    onAlive: () => silence.set(SILENCE_MS),
    onEnd(ending) {
      stop();
      on.onEnd(ending);
    },
  };

  return {
    stop,
    fail,
    isBusy: () => link !== undefined,
    async start(dial) {
      stop();
      const mine = turn;
      silence.set(SILENCE_MS);
      const open = await dial(handlers).catch(() => undefined);
      if (mine !== turn) return;
      if (open === undefined) fail('ticket_failed');
      else link = open();
    },
  };
}
