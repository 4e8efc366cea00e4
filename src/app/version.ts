/** The version in package.json: the one place where it is written. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Package = z.object({ name: z.literal('afterimage'), version: z.string() });

/** Upwards from here: two folders in a source tree, three in dist. */
export function packageVersion(): string {
  for (const up of ['../../', '../../../']) {
    try {
      const text = readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8');
      return Package.parse(JSON.parse(text)).version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}
