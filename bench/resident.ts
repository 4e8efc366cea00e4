/** Resident memory of a server and the processes it started, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export function residentKib(root: number): number {
  const statuses = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return { pid: Number(pid), text: readFileSync(`/proc/${pid}/status`, 'latin1') };
      } catch {
        return { pid: 0, text: '' };
      }
    });
  const field = (text: string, name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return statuses
    .filter(({ pid, text }) => pid === root || field(text, 'PPid') === root)
    .reduce((sum, { text }) => sum + field(text, 'VmRSS'), 0);
}
