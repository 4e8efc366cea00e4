/** Closed-loop HTTP load from one core, whoever makes it: wrk where there is one, autocannon else. */
import type { Machine } from '../machine.ts';
import { missingPackage, peerProgram } from '../peers/packages.ts';
import type { Effort, Load } from '../scenario.ts';
import { autocannon } from './autocannon.ts';
import { wrk } from './wrk.ts';

export interface LoadMaker {
  readonly name: string;
  /** What to know of its numbers. */
  readonly note: string;
  /** A load that keeps its scripts in this folder. */
  in(dir: string): Load;
}

const WRK_MISSING = 'wrk: apt-get install wrk';

export interface ChoosingLoad {
  readonly machine: Machine;
  readonly effort: Effort;
  say(progress: string): void;
}

/** A text instead: neither is here, and how to get them. */
export async function chooseLoad(run: ChoosingLoad): Promise<LoadMaker | string> {
  const { machine } = run;
  if (machine.tools['wrk'] !== undefined) {
    return {
      name: 'wrk',
      note: 'wrk, one thread',
      in: (dir) => async (url, options) => wrk(url, options, { machine, dir }),
    };
  }
  const program = await peerProgram('autocannon', run);
  if (program === undefined) return `${WRK_MISSING}; or ${missingPackage('autocannon')}`;
  return {
    name: 'autocannon',
    note:
      'autocannon, one process, because wrk is missing (apt-get install wrk): it tops out at some ten thousand ' +
      'small answers or a hundred MB a second, and is then itself what limits: compare by core-second',
    in: () => async (url, options) => autocannon(program, url, options, machine),
  };
}
