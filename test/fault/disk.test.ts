import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePng } from '../../bench/make-png.ts';
import { eventually } from '../fixtures/eventually.ts';
import { mountSmallDisk, type SmallDisk } from '../fixtures/small-disk.ts';
import type { Stage } from './suite/fault.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import { proveFault } from './suite/prove-fault.ts';

/** Root passes by permissions, unless these are taken from it. */
const WITHOUT_PRIVILEGES = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
/** Older than what the load hands over, so that it is these that make room. */
const BALLAST = 600;
const IMAGE_BYTES = 1500;
const MIB = 1024 * 1024;
/** Less than the ballast takes, more than one load. */
const BUDGET_MB = 2;
const HOUR_AGO_S = Date.now() / 1000 - 3600;

let disk: SmallDisk;
let server: FaultServer;
let root: string;

beforeAll(async () => {
  disk = mountSmallDisk(24);
  root = join(disk.dir, 'cache');
  server = await startFaultServer(
    // Memory holds next to nothing: what is read comes from the disk.
    { CACHE_DIR: root, MEMORY_CACHE_IMAGES: '8' },
    process.getuid?.() === 0 ? { under: WITHOUT_PRIVILEGES } : {},
  );
  for (let index = 0; index < BALLAST; index += 1) await put(ballast(index));
});
afterAll(async () => {
  await server.close();
  disk.unmount();
});

interface Image {
  readonly id: string;
  readonly bytes: Buffer;
  readonly path: string;
}

function ballast(index: number): Image {
  const id = `ballast-${index}`;
  const name = createHash('sha256').update(`image:${id}`).digest('hex');
  const path = join(root, 'v1', name.slice(0, 1), name.slice(1, 3), name);
  return { id, bytes: makePng(IMAGE_BYTES, 77_000_000 + index), path };
}

async function put({ id, bytes }: Image): Promise<number> {
  const headers = { 'Content-Type': 'image/png' };
  return (await server.ask(`/images/${id}`, { method: 'PUT', headers, body: bytes })).status;
}

/** The status; never other bytes than were handed over. */
async function get({ id, bytes }: Image): Promise<number> {
  const { status, body } = await server.ask(`/images/${id}`);
  if (status === 200) expect(body.equals(bytes), `${id} as it was handed over`).toBe(true);
  return status;
}

async function statuses(images: readonly Image[], ask: (image: Image) => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  for (const image of images) all.push(await ask(image));
  return [...new Set(all)].toSorted();
}

/** `count` that the server still has, the newest of them. */
const some = (count: number): Image[] => {
  const there = Array.from({ length: BALLAST }, (_, index) => ballast(BALLAST - 1 - index));
  return there.filter(({ path }) => existsSync(path)).slice(0, count);
};

async function tells({ load }: Stage): Promise<void> {
  for (let tries = 0; tries < 20 && !(await server.down()).includes('disk'); tries += 1) await load.more(10);
  expect(await server.down()).toContain('disk');
  expect(await server.ready(), 'it serves what it has').toBe(true);
}

async function isWell(): Promise<void> {
  await eventually(async () => (await server.down()).length === 0, 'all its parts are up');
}

async function restart(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  server.kill('SIGTERM');
  await server.restart(settings);
}

async function keptFiles(): Promise<string[]> {
  const found = await readdir(join(root, 'v1'), { recursive: true, withFileTypes: true });
  return found.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name));
}

async function usedBytes(): Promise<number> {
  const sizes = (await keptFiles()).map((path) => statSync(path, { throwIfNoEntry: false })?.blocks ?? 0);
  return sizes.reduce((sum, blocks) => sum + blocks * 512, 0);
}

describe('Disk: no room', () => {
  it('full: the oldest images make room, and nobody notices', async () => {
    await proveFault(server, {
      name: 'Disk: full',
      how: 'a file of another program takes all of a tmpfs',
      inject: async () => disk.fill(),
      heal: async () => disk.empty(),
      healed: isWell,
    });
  });

  it('out of inodes: the same, though there are bytes enough', async () => {
    await proveFault(server, {
      name: 'Disk: out of inodes',
      how: 'nr_inodes of a tmpfs set to what is used',
      inject: async () => disk.limitFiles(true),
      heal: async () => disk.limitFiles(false),
      healed: isWell,
    });
  });
});

describe('Disk: out of reach', () => {
  it('read-only: images are served, none is taken that would be kept in memory only', async () => {
    const kept = some(40);
    await proveFault(server, {
      name: 'Disk: read-only',
      how: 'the tmpfs remounted ro',
      refusals: [503],
      inject: async () => disk.readOnly(true),
      async told(stage) {
        await tells(stage);
        expect(await statuses(kept, get)).toEqual([200]);
        expect(await put({ ...ballast(1), id: 'refused' })).toBe(503);
        expect((await server.ask('/images/refused')).status).toBe(404);
        expect((await server.ask(`/images/${kept[39]?.id}`, { method: 'DELETE' })).status).toBe(503);
      },
      heal: async () => disk.readOnly(false),
      healed: isWell,
    });
    expect(await statuses(kept.slice(0, 39), get)).toEqual([200]);
    expect(await get(kept[39] ?? ballast(0)), 'what was asked to go is gone').toBe(404);
  });

  it('permission lost: an image that cannot be read is not called missing', async () => {
    const kept = some(40);
    await proveFault(server, {
      name: 'Disk: permission lost',
      how: 'chmod 000 of the folder, by its owner',
      refusals: [503],
      inject: async () => chmodSync(join(root, 'v1'), 0),
      async told(stage) {
        await tells(stage);
        // What memory has is served; of the rest nobody says that it is not there.
        expect([[503], [200, 503]]).toContainEqual(await statuses(kept, get));
      },
      heal: async () => chmodSync(join(root, 'v1'), 0o755),
      healed: isWell,
    });
    expect(await statuses(kept, get)).toEqual([200]);
  });
});

describe('Disk: files that others touch', () => {
  it('torn files: each is a miss, and taken anew', async () => {
    const torn = some(12);
    await proveFault(server, {
      name: 'Disk: torn files',
      how: 'cut off, emptied, overwritten; restarted with flipped bits',
      mayBreak: true,
      async inject() {
        for (const [index, { path }] of torn.entries()) {
          if (index % 3 === 0) truncateSync(path, 900);
          else if (index % 3 === 1) truncateSync(path, 0);
          else writeFileSync(path, Buffer.alloc(1500, 9));
        }
        // One that memory has is not asked of the disk.
        expect([[404], [200, 404]]).toContainEqual(await statuses(torn, get));
        expect([[201], [200, 201]]).toContainEqual(await statuses(torn, put));
        expect(await statuses(torn, get)).toEqual([200]);
        for (const { path } of torn) {
          const bytes = await readFile(path);
          bytes.writeUInt8(bytes.readUInt8(bytes.length - 400) ^ 1, bytes.length - 400);
          writeFileSync(path, bytes);
        }
        await restart({ WARM_FROM_DISK: 'false' });
        expect(await statuses(torn, get)).toEqual([404]);
      },
    });
    expect(await statuses(torn, put)).toEqual([201]);
  });

  it('vanished files: each is a miss, and taken anew', async () => {
    const gone = some(12);
    await proveFault(server, {
      name: 'Disk: vanished files',
      how: 'rm of files and of their folders',
      async inject() {
        for (const [index, { path }] of gone.entries()) {
          rmSync(path);
          if (index % 2 === 0 && (await readdir(dirname(path))).length === 0)
            rmSync(dirname(path), { recursive: true });
        }
        expect([[404], [200, 404]]).toContainEqual(await statuses(gone, get));
        expect([[201], [200, 201]]).toContainEqual(await statuses(gone, put));
        expect(await statuses(gone, get)).toEqual([200]);
      },
    });
  });

  it('foreign files: neither read nor removed', async () => {
    const [{ path } = ballast(0)] = some(1);
    const files = ['notes.txt', 'v1/notes.txt', 'v1/tmp/mine', `v1/${'f'.repeat(64)}`].map((name) =>
      join(root, name),
    );
    const foreign = [...files, join(dirname(path), 'thumbs.db')];
    await proveFault(server, {
      name: 'Disk: foreign files',
      how: 'of other programs, among ours; restarted',
      mayBreak: true,
      async inject() {
        for (const file of foreign) writeFileSync(file, 'of another program');
        mkdirSync(join(root, 'v1', '0', 'a folder'), { recursive: true });
        await restart();
      },
      async after() {
        for (const file of foreign) expect(await readFile(file, 'utf8')).toBe('of another program');
      },
    });
  });

  it('inherited over its budget: shrinks to it, the oldest first', async () => {
    expect(await usedBytes()).toBeGreaterThan(BUDGET_MB * MIB);
    // Within ten seconds the order is any: what comes now is newer than all of these.
    for (const path of await keptFiles()) utimesSync(path, HOUR_AGO_S, HOUR_AGO_S);
    await proveFault(server, {
      name: 'Disk: inherited over budget',
      how: `restarted with CACHE_SIZE_MB=${BUDGET_MB}`,
      mayBreak: true,
      inject: async () => restart({ CACHE_SIZE_MB: String(BUDGET_MB) }),
      healed: async () =>
        eventually(async () => (await usedBytes()) <= BUDGET_MB * MIB, 'the folder has shrunk'),
    });
  });
});
