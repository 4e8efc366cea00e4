/** The straight line through resident memory over time. Pure. */
import type { Sample } from './sampler.ts';

/** MiB a minute, by least squares. */
export function slopeOf(samples: readonly Pick<Sample, 'atMs' | 'rssMib'>[]): number {
  const minutes = samples.map(({ atMs }) => atMs / 60_000);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, each) => sum + each, 0) / values.length;
  const [middle, level] = [mean(minutes), mean(samples.map(({ rssMib }) => rssMib))];
  let above = 0;
  let below = 0;
  for (const [at, { rssMib }] of samples.entries()) {
    const distance = (minutes[at] ?? 0) - middle;
    above += distance * (rssMib - level);
    below += distance ** 2;
  }
  return below === 0 ? 0 : above / below;
}
