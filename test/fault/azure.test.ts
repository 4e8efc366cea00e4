import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePng } from '../../bench/make-png.ts';
import { eventually } from '../fixtures/eventually.ts';
import { startAzurite, type Azurite } from '../fixtures/azurite.ts';
import { startFaultyHttp, type Fault as HttpFault, type FaultyHttp } from '../fixtures/faulty-http.ts';
import type { Fault, Stage } from './suite/fault.ts';
import { startFaultServer, type FaultServer } from './suite/fault-server.ts';
import type { OriginBlob } from './suite/origin-reads.ts';
import { proveFault } from './suite/prove-fault.ts';

const MIB = 1024 * 1024;
const BREAKER = 'azure-breaker';
/** Of a call that is answered at all; a test waits it out. */
const TIMEOUT_MS = 1000;
/** Calls that a fault befalls at least, unless the server soon makes none. */
const CALLS = 16;

let folder: string;
let azurite: Azurite;
let proxy: FaultyHttp;
/** Reads from Azure, writes to its disk. */
let reading: FaultServer;
/** Writes through, and has next to nothing itself: every read is Azure's. */
let writing: FaultServer;
const held: OriginBlob[] = [];
const cold: OriginBlob[] = [];
let isGone = false;
const origin = { held, cold, isGone: () => isGone };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'afterimage-azurite-'));
  azurite = await startAzurite({ folder });
  proxy = await startFaultyHttp(azurite.port);
  const container = await azurite.container('faults');
  const add = async (id: string, bytes: number, seed: number): Promise<OriginBlob> => {
    const body = makePng(bytes, seed);
    await container.getBlockBlobClient(id).uploadData(body);
    return { id, hash: createHash('sha256').update(body).digest('hex') };
  };
  for (let index = 0; index < 4; index += 1) {
    held.push(await add(`held-${index}`, 3000, index));
    cold.push(await add(`cold-${index}`, 3000, 100 + index));
    // Over the cut-off: passes through in pieces.
    cold.push(await add(`large-${index}`, Math.round(1.2 * MIB), 200 + index));
  }
  reading = await startFaultServer(azureSettings());
  writing = await startFaultServer({
    ...azureSettings(),
    AZURE_WRITE_THROUGH: 'true',
    CACHE_DIR: '',
    MEMORY_CACHE_IMAGES: '4',
  });
});
afterAll(async () => {
  await reading.close();
  await writing.close();
  await proxy.close();
  await azurite.stop();
  await rm(folder, { recursive: true, force: true });
});

function azureSettings(): Record<string, string> {
  return {
    AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString(proxy.port),
    AZURE_STORAGE_CONTAINER: 'faults',
    AZURE_TIMEOUT_MS: String(TIMEOUT_MS),
    AZURE_FRESH_S: '1',
    AZURE_MISSING_S: '0',
    STREAM_CUTOFF_MB: '1',
  };
}

/** Every call to Azure is treated so until it is healed. */
function byProxy(fault: HttpFault): Pick<Fault, 'inject' | 'heal'> {
  return {
    async inject({ server }) {
      const calls = proxy.seen.length;
      proxy.failAll(fault);
      const isFelt = async (): Promise<boolean> =>
        proxy.seen.length >= calls + CALLS || (await server.down()).includes(BREAKER);
      await eventually(isFelt, 'Azure was called');
    },
    heal: async () => proxy.failAll(undefined),
  };
}

const answered = (status: number, code: string, more: Record<string, string> = {}): HttpFault => ({
  kind: 'answer',
  status,
  headers: { 'x-ms-error-code': code, ...more },
});

function claim(headers: Extract<HttpFault, { readonly kind: 'claim' }>['headers']): HttpFault {
  return { kind: 'claim', headers };
}

const lengthOff =
  (bytes: number) =>
  (real: IncomingHttpHeaders): IncomingHttpHeaders =>
    Number(real['content-length'] ?? 0) === 0
      ? real
      : { ...real, 'content-length': String(Number(real['content-length']) + bytes) };

function otherMd5(real: IncomingHttpHeaders): IncomingHttpHeaders {
  return real['content-md5'] === undefined ? real : { ...real, 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' };
}

/** `part`: that /admin/stats must say is not up, as soon as a few requests have found out. */
const tells =
  (part: string) =>
  async ({ server, load }: Stage): Promise<void> => {
    for (let tries = 0; tries < 20 && !(await server.down()).includes(part); tries += 1) await load.more(10);
    expect(await server.down()).toContain(part);
    expect(await server.ready(), 'it serves what it has').toBe(true);
  };

async function tellsNothing({ server }: Stage): Promise<void> {
  expect(await server.down()).toEqual([]);
}

async function isWell({ server }: Stage): Promise<void> {
  await eventually(async () => (await server.down()).length === 0, 'all its parts are up');
}

type Row = readonly [name: string, how: string, fault: HttpFault, refusals: readonly number[]];

const DENIED: readonly Row[] = [
  ['403', 'AuthorizationFailure', answered(403, 'AuthorizationFailure'), [502]],
  ['404 of the container', 'ContainerNotFound', answered(404, 'ContainerNotFound'), [502]],
];
/** Of one blob: no matter for a breaker. */
const REFUSED: readonly Row[] = [
  ['409', 'BlobArchived', answered(409, 'BlobArchived'), [502]],
  ['412', 'ConditionNotMet', answered(412, 'ConditionNotMet'), [502]],
];
const FAILS: readonly Row[] = [
  ['429', 'Retry-After: 1', answered(429, 'TooManyRequests', { 'retry-after': '1' }), [502]],
  ['500', 'InternalError', answered(500, 'InternalError'), [502]],
  ['503', 'ServerBusy, Retry-After: 1', answered(503, 'ServerBusy', { 'retry-after': '1' }), [502]],
  ['silent', 'takes requests, answers none', { kind: 'hang' }, [502, 504]],
  ['connection reset', 'before an answer', { kind: 'reset' }, [502]],
  ['answer lost', 'request carried out, then reset', { kind: 'lose' }, [502]],
];
/** Of answers with a body. A large image is under way already when it breaks: so does its connection. */
const BODIES: readonly Row[] = [
  ['body stalls', 'after 700 bytes', { kind: 'stall', afterBytes: 700 }, [502, 504]],
  ['large body stalls', 'after 900,000 bytes', { kind: 'stall', afterBytes: 900_000 }, [502, 504]],
  // The SDK misses an end that comes with the head: then it is the deadline that finds it.
  ['body truncated', 'after 700 bytes', { kind: 'cut', afterBytes: 700 }, [502, 504]],
  ['large body truncated', 'after 900,000 bytes', { kind: 'cut', afterBytes: 900_000 }, [502, 504]],
  ['body corrupt', 'byte 700 flipped', { kind: 'corrupt', afterBytes: 700 }, [502]],
  ['length too large', 'Content-Length + 10', claim(lengthOff(10)), [502, 504]],
  ['length too small', 'Content-Length - 10', claim(lengthOff(-10)), [502]],
  ['wrong MD5', 'Content-MD5 of other bytes', claim(otherMd5), [502]],
];

const prove = async (
  kind: 'reading' | 'writing',
  [name, how, fault, refusals]: Row,
  more: Partial<Fault>,
): Promise<void> =>
  proveFault(
    kind === 'reading' ? reading : writing,
    { name: `Azure, ${kind}: ${name}`, how, refusals, ...byProxy(fault), healed: isWell, ...more },
    kind === 'reading' ? { origin } : {},
  );

describe.each(['reading', 'writing'] as const)('Azure, %s', (kind) => {
  it.each(DENIED)('%s', async (...row) => prove(kind, row, { told: tells('azure-access') }));
  it.each(REFUSED)('%s', async (...row) => prove(kind, row, { told: tellsNothing }));
  it.each(FAILS)('%s', async (...row) => prove(kind, row, { told: tells(BREAKER) }));

  it('stopped and started', async () => {
    const [name, how] = ['stopped and started', 'the process of Azurite'];
    await prove(kind, [name, how, { kind: 'reset' }, [502]], {
      inject: async () => azurite.stop(),
      told: tells(BREAKER),
      heal: async () => azurite.start(),
    });
  });
});

describe('Azure, reading', () => {
  it.each(BODIES)('%s', async (...row) => prove('reading', row, { mayBreak: true }));

  it('host not found', async () => {
    const away = azurite.connectionString(proxy.port).replace('127.0.0.1', 'nosuch.invalid');
    const restart = async (connection: string): Promise<void> => {
      reading.kill('SIGTERM');
      await reading.restart({ AZURE_STORAGE_CONNECTION_STRING: connection });
    };
    const row: Row = ['host not found', 'restarted with nosuch.invalid', { kind: 'reset' }, [502, 503]];
    await prove('reading', row, {
      mayBreak: true,
      inject: async () => restart(away),
      told: tells(BREAKER),
      heal: async () => restart(azurite.connectionString(proxy.port)),
    });
  });

  it('404 of every blob', async () => {
    const { inject, heal } = byProxy(answered(404, 'BlobNotFound'));
    await prove('reading', ['404 of every blob', 'BlobNotFound', { kind: 'reset' }, []], {
      async inject(stage) {
        isGone = true;
        await inject(stage);
      },
      told: tellsNothing,
      async heal(stage) {
        await heal?.(stage);
        isGone = false;
      },
    });
  });
});
