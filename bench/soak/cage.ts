/**
 * A memory cgroup around the server, where this machine lets us make one: the kernel then ends a server
 * that takes more than its ceiling. Elsewhere the ceiling is only measured, and the report says so.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Cage {
  readonly dir: string;
  /** How often the kernel ended something in it for want of memory. */
  kills(): number;
  close(): void;
}

interface Kind {
  readonly root: string;
  readonly sign: string;
  readonly limit: string;
  readonly events: string;
}

const MIB = 2 ** 20;
const KINDS: readonly Kind[] = [
  { root: '/sys/fs/cgroup', sign: 'cgroup.controllers', limit: 'memory.max', events: 'memory.events' },
  {
    root: '/sys/fs/cgroup/memory',
    sign: 'memory.limit_in_bytes',
    limit: 'memory.limit_in_bytes',
    events: 'memory.oom_control',
  },
];

/** Undefined: not here, or not for us. */
export function openCage(limitMib: number): Cage | undefined {
  for (const { root, sign, limit, events } of KINDS) {
    if (!existsSync(join(root, sign))) continue;
    const dir = join(root, `afterimage-soak-${process.pid}`);
    try {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, limit), String(limitMib * MIB));
    } catch {
      continue;
    }
    return {
      dir,
      kills: () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(dir, events), 'utf8'))?.[1] ?? 0),
      close() {
        try {
          rmdirSync(dir);
        } catch {
          // Its last process is still leaving; an empty group does no harm.
        }
      },
    };
  }
  return undefined;
}
