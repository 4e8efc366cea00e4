/** Every scenario, in the order in which they run: what convinces most comes first. */
import type { Scenario } from './scenario.ts';
import { allocations } from './scenarios/allocations.ts';
import { coldMiss } from './scenarios/cold-miss.ts';
import { conditional } from './scenarios/conditional.ts';
import { eviction } from './scenarios/eviction.ts';
import { fanOut } from './scenarios/fan-out.ts';
import { growth } from './scenarios/growth.ts';
import { hit } from './scenarios/hit.ts';
import { idleMemory } from './scenarios/idle-memory.ts';
import { ingest } from './scenarios/ingest.ts';
import { patternClear } from './scenarios/pattern-clear.ts';
import { readyLag } from './scenarios/ready-lag.ts';
import { restart } from './scenarios/restart.ts';
import { s1 } from './scenarios/s1.ts';
import { s3 } from './scenarios/s3.ts';
import { s4 } from './scenarios/s4.ts';
import { stampede } from './scenarios/stampede.ts';
import { variants } from './scenarios/variants.ts';
import { zipfMix } from './scenarios/zipf-mix.ts';

export const SCENARIOS: readonly Scenario[] = [
  hit,
  conditional,
  s4,
  s1,
  s3,
  fanOut,
  idleMemory,
  readyLag,
  ingest,
  stampede,
  zipfMix,
  variants,
  eviction,
  coldMiss,
  restart,
  patternClear,
  growth,
  allocations,
];
