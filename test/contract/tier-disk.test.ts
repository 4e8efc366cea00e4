import { createDiskBench } from '../fixtures/disk-folder.ts';
import { createManualClock } from '../fixtures/manual-clock.ts';
import { describeTier } from './tier.contract.ts';

describeTier('disk', async () => {
  const clock = createManualClock();
  const bench = await createDiskBench({ clock });
  const tier = await bench.open();
  const pass = async (ms: number): Promise<void> => clock.advance(ms);
  return { tier, nowMs: clock.nowMs, pass, dispose: bench.dispose };
});
