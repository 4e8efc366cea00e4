/**
 * Stops taking connections shortly before the file handles run out, and goes on when there are some again.
 * With none left the library asks for the waiting connection again and again, at the cost of a core, and
 * neither disk nor Redis gets a handle. Linux only: elsewhere the limit is not known.
 */
import { open, readFile, type FileHandle } from 'node:fs/promises';
import type { Server } from '../http/server.ts';
import type { Log } from '../observe/log.ts';

export interface HandleGuard {
  areShort(): boolean;
  stop(): void;
}

const EVERY_MS = 500;
/** For disk, Redis, Azure and whoever is answered already. */
const RESERVED = 64;
const RESERVED_SHARE = 1 / 8;
/** A new handle gets the lowest number that is free: of several the highest is near the end of them all. */
const PROBES = 8;

/** The soft limit; undefined: no such thing here. Throws where there is no handle to read it with. */
async function handleLimit(): Promise<number | undefined> {
  const text = await readFile('/proc/self/limits', 'utf8').catch((error: unknown) => {
    if (isOutOfHandles(error)) throw error;
    return '';
  });
  const [, soft] = /^Max open files +(\d+)/m.exec(text) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

function isOutOfHandles(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');
}

async function areHandlesShort(): Promise<boolean> {
  const probes: FileHandle[] = [];
  try {
    const limit = await handleLimit();
    if (limit === undefined) return false;
    for (let probe = 0; probe < PROBES; probe += 1) probes.push(await open('/dev/null'));
    const highest = Math.max(...probes.map(({ fd }) => fd));
    return limit - highest < Math.min(RESERVED, limit * RESERVED_SHARE);
  } catch (error) {
    return isOutOfHandles(error);
  } finally {
    for (const probe of probes) await probe.close();
  }
}

/** Looks twice a second. */
export function guardHandles(
  server: Pick<Server, 'pause' | 'resume'>,
  log: Pick<Log, 'info' | 'warn'>,
): HandleGuard {
  let wasShort = false;
  let isStopped = false;
  let timer = setTimeout(look, EVERY_MS).unref();

  async function adapt(isShort: boolean): Promise<void> {
    if (isShort === wasShort) return;
    if (isShort) {
      server.pause();
      log.warn('file handles run short: new connections are refused; raise `ulimit -n` (LimitNOFILE)');
    } else {
      await server.resume();
      log.info('there are file handles again: connections are taken');
    }
    wasShort = isShort;
  }

  function look(): void {
    void areHandlesShort()
      .then(async (isShort) => (isStopped ? undefined : adapt(isShort)))
      .catch((error: unknown) => log.warn({ err: error }, 'connections cannot be taken yet'))
      .finally(() => {
        if (!isStopped) timer = setTimeout(look, EVERY_MS).unref();
      });
  }

  return {
    areShort: () => wasShort,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
