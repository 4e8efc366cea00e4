/** What every peer is to a scenario: a name, its settings in a line, addresses, an end. */

export interface Peer {
  readonly name: string;
  readonly settings: string;
  readonly base: string;
  readonly pid: number;
  url(image: string): string;
  stop(): Promise<void>;
}

/** Files that all peers serve, by name: the same bytes for each. */
export type Images = ReadonlyMap<string, Buffer>;
