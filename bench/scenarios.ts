/** Every scenario, in the order in which they run: what convinces most comes first. */
import type { Scenario } from './scenario.ts';
import { conditional } from './scenarios/conditional.ts';
import { fanOut } from './scenarios/fan-out.ts';
import { hit } from './scenarios/hit.ts';

export const SCENARIOS: readonly Scenario[] = [hit, conditional, fanOut];
