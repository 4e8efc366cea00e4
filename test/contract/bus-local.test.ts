import { systemClock } from '../../src/core/clock.ts';
import { createLocalBus } from '../../src/events/local-bus.ts';
import { BUS_LIMITS, describeBus } from './bus.contract.ts';

describeBus('local', async () => {
  const bus = createLocalBus(BUS_LIMITS, systemClock);
  return { bus, dispose: bus.close };
});
