/** Passes on what the processes say to each other: all of it goes through the parent. */
import { createGathering, type Gathering, type GatheringDeps, type GatheringOptions } from './gathering.ts';
import type { Child, FromChild, FromParent } from './message.ts';

export interface Switchboard<R> {
  /** From now on it is asked and told. */
  join(process: number, child: Child<R>): void;
  leave(process: number): void;
  onRestart: Gathering<R>['onRestart'];
}

export function createSwitchboard<R>(
  options: GatheringOptions,
  { keep }: Pick<GatheringDeps<R>, 'keep'>,
): Switchboard<R> {
  const listening = new Map<number, Child<R>>();
  const gathering = createGathering<R>(options, { ask, keep });

  function ask(id: number): readonly number[] {
    for (const child of listening.values()) child.send({ type: 'read', id });
    return [...listening.keys()];
  }

  function toOthers(process: number, message: FromParent<R>): void {
    for (const [other, child] of listening) if (other !== process) child.send(message);
  }

  async function answer(child: Child<R>, id: number): Promise<void> {
    child.send({ type: 'gathered', id, gathered: await gathering.gather() });
  }

  function hear(process: number, child: Child<R>, message: FromChild<R>): void {
    if (message.type === 'listening') listening.set(process, child);
    else if (message.type === 'reading') gathering.onReading(process, message.id, message.reading);
    else if (message.type === 'tell') toOthers(process, { type: 'told', note: message.note });
    else if (message.type === 'gather') void answer(child, message.id);
  }

  return {
    join: (process, child) => child.onMessage((message) => hear(process, child, message)),
    leave(process) {
      listening.delete(process);
      gathering.onGone(process);
    },
    onRestart: gathering.onRestart,
  };
}
