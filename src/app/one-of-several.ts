/** What a process that the parent started has of its own: its part of the budgets, and its way to the others. */
import { availableParallelism } from 'node:os';
import { shareOf } from '../config/plan-processes.ts';
import type { Config } from '../config/table.ts';
import { linkToParent, placeOf, PLACE_VARIABLE } from '../processes/parent-link.ts';
import { createPeers, GATHER_DEADLINE_MS, type Peers } from '../processes/peers.ts';
import type { Reading } from './readings.ts';

export interface OneOfSeveral {
  readonly config: Config;
  readonly peers: Peers<Reading>;
}

/** Undefined: this process was not started as one of several. */
export function oneOfSeveral(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): OneOfSeveral | undefined {
  const place = placeOf(env[PLACE_VARIABLE]);
  if (place === undefined) return undefined;
  const { number, count } = place;
  return {
    config: shareOf(config, number, count, availableParallelism()),
    peers: createPeers({ number, count, deadlineMs: 2 * GATHER_DEADLINE_MS }, linkToParent()),
  };
}
