/**
 * Builds the client of the Azure container. The only place that constructs one: everybody else gets it
 * passed in and imports its type. The SDK's retries are off: deadlines and the breaker are the origin's.
 */
import type { TokenCredential } from '@azure/identity';
import type * as Azure from '@azure/storage-blob';
import type {
  ContainerClient,
  newPipeline,
  Pipeline,
  RequestPolicy,
  StoragePipelineOptions,
} from '@azure/storage-blob';
import { traceOf } from '../core/trace-context.ts';

export interface AzureClientOptions {
  readonly connectionString: string;
  /** Name of the account, or its https address; used when there is no connection string. */
  readonly account: string;
  readonly container: string;
}

const PIPELINE: StoragePipelineOptions = { retryOptions: { maxTries: 1 } };

type Credential = NonNullable<Parameters<typeof newPipeline>[0]>;

/** Tells Azure whose request a call is made for, where that said so. */
function passTraceOn(next: RequestPolicy): RequestPolicy {
  return {
    async sendRequest(request) {
      const trace = request.abortSignal instanceof AbortSignal ? traceOf(request.abortSignal) : undefined;
      if (trace !== undefined) request.headers.set('traceparent', trace.traceparent);
      return next.sendRequest(request);
    },
  };
}

function pipelineOf(credential: Credential, azure: typeof Azure): Pipeline {
  const pipeline = azure.newPipeline(credential, PIPELINE);
  pipeline.factories.unshift({ create: passTraceOn });
  return pipeline;
}

function accountUrl(account: string): string {
  return account.includes('://') ? account : `https://${account}.blob.core.windows.net`;
}

/** Undefined: no Azure is configured. */
export async function createAzureContainer(
  options: AzureClientOptions,
): Promise<ContainerClient | undefined> {
  const { connectionString, account, container } = options;
  if (connectionString === '' && account === '') return undefined;
  // Only where it is needed: a third of the heap, which every collection goes through, and of the start.
  const azure = await import('@azure/storage-blob');
  const { BlobServiceClient } = azure;
  if (connectionString !== '') {
    const { url, credential } = BlobServiceClient.fromConnectionString(connectionString, PIPELINE);
    return new BlobServiceClient(url, pipelineOf(credential, azure)).getContainerClient(container);
  }
  const credential = await defaultCredential();
  const service = new BlobServiceClient(accountUrl(account), pipelineOf(credential, azure));
  return service.getContainerClient(container);
}

/** The same, and it is larger than everything else here together. */
async function defaultCredential(): Promise<TokenCredential> {
  const identity = await import('@azure/identity');
  return new identity.DefaultAzureCredential();
}
