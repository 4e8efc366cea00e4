/** Builds the Azure origin that the config asks for: client, breaker, reader, writer. */
import { createBreaker } from '../cache/breaker.ts';
import type { Keep, Origin } from '../cache/origin.ts';
import type { Config } from '../config/table.ts';
import { steadyClock, type Clock } from '../core/clock.ts';
import type { HealthChanges } from '../observe/health-changes.ts';
import type { Log } from '../observe/log.ts';
import { createAzureOrigin } from '../origin/azure-origin.ts';
import { createBlobReader } from '../origin/blob-reader.ts';
import { createBlobWriter } from '../origin/blob-writer.ts';
import { createOriginGate, type OriginGate } from '../origin/origin-gate.ts';
import { createAzureContainer } from './azure-client.ts';

export interface AzureParts {
  readonly origin: Origin;
}

export interface AzurePartsDeps {
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** The disk tier's; without one, large blobs pass through uncached. */
  readonly keep: Keep | undefined;
  readonly health: Pick<HealthChanges, 'note'>;
}

const MIB = 1024 * 1024;
const BREAKER = { failuresToOpen: 5, pauseMs: 1000, pauseMsMax: 30_000 };

/** Undefined: no Azure is configured. */
export async function createAzureParts(
  config: Config,
  deps: AzurePartsDeps,
): Promise<AzureParts | undefined> {
  const { clock, log, keep } = deps;
  const container = await createAzureContainer({
    connectionString: config.AZURE_STORAGE_CONNECTION_STRING,
    account: config.AZURE_STORAGE_ACCOUNT,
    container: config.AZURE_STORAGE_CONTAINER,
  });
  if (container === undefined) return undefined;
  const gate = createGate(deps);
  const call = {
    container,
    gate,
    clock,
    timeoutMs: config.AZURE_TIMEOUT_MS,
  };
  const cacheControl = `public, max-age=${config.CACHE_MAX_AGE_S}`;
  const origin = createAzureOrigin(
    {
      freshMs: config.AZURE_FRESH_S * 1000,
      staleIfErrorMs: config.AZURE_STALE_IF_ERROR_S * 1000,
      missingMs: config.AZURE_MISSING_S * 1000,
      cutoffBytes: config.STREAM_CUTOFF_MB * MIB,
      writeThrough: config.AZURE_WRITE_THROUGH,
    },
    {
      reader: createBlobReader(call),
      writer: createBlobWriter({ ...call, cacheControl }),
      keep: keep ?? (() => undefined),
      clock,
    },
  );
  log.info({ container: container.url }, 'images come from Azure on a miss');
  return { origin };
}

/** The gate, and what the operator is told of it: whether Azure answers, and whether it lets us in. */
function createGate({ log, health }: AzurePartsDeps): OriginGate {
  let isHeld = false;
  const breaker = createBreaker(BREAKER, steadyClock, (to) => {
    if (to === 'open') log.warn({ origin: 'azure' }, 'Azure fails: it is left alone, cached images go on');
    if (to === 'closed') log.info({ origin: 'azure' }, 'Azure answers again');
    if (!isHeld) health.note('azure-breaker', to);
  });
  health.note('azure-breaker', 'closed', 'start');
  health.note('azure-access', 'granted', 'start');
  return createOriginGate(breaker, steadyClock, {
    held(ms) {
      isHeld = ms > 0;
      if (isHeld) log.warn({ origin: 'azure', ms }, 'Azure asks to be left alone, cached images go on');
      health.note('azure-breaker', isHeld ? 'open' : breaker.stats().state, isHeld ? 'Retry-After' : '');
    },
    denied(reason) {
      if (reason === '') log.info({ origin: 'azure' }, 'Azure lets this server in again');
      else log.error({ origin: 'azure', reason }, 'Azure lets this server do nothing');
      health.note('azure-access', reason === '' ? 'granted' : 'denied', reason);
    },
  });
}
