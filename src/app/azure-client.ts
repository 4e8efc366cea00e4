/**
 * Builds the client of the Azure container. The only place that constructs one: everybody else gets it
 * passed in and imports its type. The SDK's retries are off: deadlines and the breaker are the origin's.
 */
import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient, type ContainerClient, type StoragePipelineOptions } from '@azure/storage-blob';

export interface AzureClientOptions {
  readonly connectionString: string;
  /** Name of the account, or its https address; used when there is no connection string. */
  readonly account: string;
  readonly container: string;
}

const PIPELINE: StoragePipelineOptions = { retryOptions: { maxTries: 1 } };

function accountUrl(account: string): string {
  return account.includes('://') ? account : `https://${account}.blob.core.windows.net`;
}

/** Undefined: no Azure is configured. */
export async function createAzureContainer(
  options: AzureClientOptions,
): Promise<ContainerClient | undefined> {
  const { connectionString, account, container } = options;
  if (connectionString !== '') {
    return BlobServiceClient.fromConnectionString(connectionString, PIPELINE).getContainerClient(container);
  }
  if (account === '') return undefined;
  const credential = await defaultCredential();
  return new BlobServiceClient(accountUrl(account), credential, PIPELINE).getContainerClient(container);
}

/** Loaded only where it is needed: it is larger than everything else here together. */
async function defaultCredential(): Promise<TokenCredential> {
  const identity = await import('@azure/identity');
  return new identity.DefaultAzureCredential();
}
