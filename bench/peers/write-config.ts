/** A peer's configuration as it stands in bench/peers/config, with this run's port and folder put in. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** From dist/bench/peers back to the sources: configurations are read, not built. */
const CONFIG_DIR = fileURLToPath(new URL('../../../bench/peers/config/', import.meta.url));

export function writeConfig(name: string, dir: string, values: Readonly<Record<string, string>>): string {
  const text = readFileSync(join(CONFIG_DIR, name), 'utf8');
  const path = join(dir, name);
  writeFileSync(
    path,
    text.replace(/\{\{(\w+)\}\}/g, (_, key: string) => values[key] ?? ''),
  );
  return path;
}
