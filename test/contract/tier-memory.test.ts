import { createMemoryTier } from '../../src/cache/memory-tier.ts';
import { createManualClock } from '../fixtures/manual-clock.ts';
import { memoryAsTier } from '../fixtures/memory-as-tier.ts';
import { describeTier } from './tier.contract.ts';

for (const policy of ['lru', 'sieve'] as const) {
  describeTier(`memory with ${policy}`, async () => {
    const clock = createManualClock();
    const memory = createMemoryTier({ limitBytes: 1_000_000, limitEntries: 1000, policy }, clock);
    const tier = memoryAsTier(memory);
    const pass = async (ms: number): Promise<void> => clock.advance(ms);
    return { tier, nowMs: clock.nowMs, pass, dispose: async () => tier.close() };
  });
}
