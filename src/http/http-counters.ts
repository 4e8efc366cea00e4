/** Plain counters of the transport; read when somebody scrapes, never logged from here. */

export interface HttpCounters {
  requests: number;
  memoryHits: number;
  notModified: number;
  /** Errors sent, by their code. */
  readonly problems: Map<string, number>;
}

export function createHttpCounters(): HttpCounters {
  return { requests: 0, memoryHits: 0, notModified: 0, problems: new Map() };
}
