/**
 * The words that the harness shares: what a scenario is given, and what it hands back. A scenario asks
 * one question of several subjects; it measures and judges nothing itself.
 */
import type { Machine } from './machine.ts';

/** One interleaved measurement of one subject. */
export interface Sample {
  readonly value: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Share of one core that the subject took: 1 is a core that it kept busy. */
  readonly cores?: number;
  /** The same of the load: near 1, the figure is the load's, and the server has more. */
  readonly loadCores?: number;
  /** Share of the machine that others took meanwhile, after the retries. */
  readonly disturbed?: number;
}

export interface Series {
  readonly subject: string;
  readonly samples: readonly Sample[];
}

export interface Row {
  readonly label: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly series: readonly Series[];
}

export type Measure = 'value' | 'p50Ms' | 'p99Ms' | 'perCore' | 'loadCores';

/** What the project promises. Without a peer, the number is compared as it is. */
export interface Target {
  readonly figure: string;
  readonly row: string;
  readonly subject: string;
  readonly peer?: string;
  readonly of?: Measure;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Outcome {
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
  /** How every subject was set up, and what to know before believing a number. */
  readonly notes: readonly string[];
  /** Peers that this machine lacks, with the command that gets them. */
  readonly missing: readonly string[];
}

export interface Effort {
  readonly name: 'smoke' | 'quick' | 'full';
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

export interface LoadOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly headers?: readonly string[];
  /** What the whole asks for; absent: as much as it gets. */
  readonly perSecond?: number;
  /** A file with a path on each line, asked for in this order, over and over; absent: the URL's own. */
  readonly paths?: string;
  /** The line to begin behind. */
  readonly from?: number;
}

/** Closed-loop HTTP load from one core; throws where a single request failed. */
export type Load = (url: string, options: LoadOptions) => Promise<Sample>;

export interface Bench {
  readonly effort: Effort;
  readonly machine: Machine;
  readonly load: Load;
  /** A folder of the run's own, removed afterwards. */
  readonly dir: string;
  say(progress: string): void;
}

export interface Scenario {
  readonly name: string;
  readonly question: string;
  /** About how long it takes on a quiet machine; a quick run leaves out what takes 0 there. */
  readonly takesS: { readonly quick: number; readonly full: number };
  run(bench: Bench): Promise<Outcome>;
}
