/** A process's side of the talk with the others: through the parent, which may be slow or gone. */
import type { FromParent, Gathered, Note, Parent } from './message.ts';

export interface Peers<R> {
  /** From 1. */
  readonly number: number;
  readonly count: number;
  /** Aborts when the parent says so, and when it is gone: without it nobody would start this one again. */
  readonly stop: AbortSignal;
  listening(url: string): void;
  /** How this process is read when any of them gathers. */
  answer(read: () => Promise<R>): void;
  /** The readings of all; of this one alone where the parent does not answer in time. Never rejects. */
  gather(): Promise<Gathered<R>>;
  tell(note: Note): void;
  onTold(listener: (note: Note) => void): void;
}

export interface PeersOptions {
  readonly number: number;
  readonly count: number;
  readonly deadlineMs: number;
}

/** The parent waits this long for silent processes, and is itself waited for a little longer. */
export const GATHER_DEADLINE_MS = 1000;

export function createPeers<R>(options: PeersOptions, parent: Parent<R>): Peers<R> {
  const { number, count } = options;
  const stop = new AbortController();
  const waiting = new Map<number, (gathered: Gathered<R>) => void>();
  let read: (() => Promise<R>) | undefined;
  let onTold: ((note: Note) => void) | undefined;
  let questions = 0;

  const reply = async (id: number): Promise<void> => {
    if (read !== undefined) parent.send({ type: 'reading', id, reading: await read() });
  };

  parent.onGone(() => stop.abort());
  parent.onMessage((message: FromParent<R>) => {
    if (message.type === 'stop') stop.abort();
    else if (message.type === 'ping') parent.send({ type: 'pong' });
    else if (message.type === 'told') onTold?.(message.note);
    else if (message.type === 'gathered') waiting.get(message.id)?.(message.gathered);
    // A reading that fails is a process that is silent: the parent counts it.
    else reply(message.id).catch(() => undefined);
  });

  async function alone(): Promise<Gathered<R>> {
    const all = Array.from({ length: count }, (_, index) => index + 1);
    const silent = all.filter((each) => each !== number);
    const readings = read === undefined ? [] : [await read()];
    return { readings, processes: { count, silent, silences: silent.length, restarts: 0 } };
  }

  return {
    number,
    count,
    stop: stop.signal,
    listening: (url) => parent.send({ type: 'listening', url }),
    answer: (with_) => {
      read = with_;
    },
    async gather() {
      questions += 1;
      const id = questions;
      const answer = await new Promise<Gathered<R> | undefined>((resolve) => {
        const timer = setTimeout(() => resolve(undefined), options.deadlineMs);
        waiting.set(id, (gathered) => {
          clearTimeout(timer);
          resolve(gathered);
        });
        parent.send({ type: 'gather', id });
      });
      waiting.delete(id);
      return answer ?? alone();
    },
    tell: (note) => parent.send({ type: 'tell', note }),
    onTold: (listener) => {
      onTold = listener;
    },
  };
}
