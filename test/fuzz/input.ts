/** What the fuzzer sends, and what it then holds the server to. Types only. */
import type { Corpus } from './corpus.ts';
import type { Random } from './random.ts';

export interface Input {
  /** Bytes of one connection, each of them written by itself. */
  readonly writes: readonly Uint8Array[];
  /**
   * answer: one whole request, which has to have its answer; end: anything at all, after which the client
   * closes its side and the server has to close its own; frames: the same, begun by a WebSocket's handshake.
   */
  readonly expects: 'answer' | 'end' | 'frames';
  /** Of the one request; an answer to HEAD has no body. */
  readonly method: string;
  /** An upload: where it is served if it is taken, and what has to be served there if that can be said. */
  readonly upload?: { readonly path: string; readonly bytes?: Uint8Array };
  /** What is served at this address, if it is: whole or a part of it. */
  readonly source?: Uint8Array;
}

export interface Surface {
  readonly name: string;
  /** How much of a run it gets, beside the others. */
  readonly share: number;
  /** The same input for the same lots, corpus and index. */
  readonly make: (random: Random, corpus: Corpus, index: number) => Input;
}
