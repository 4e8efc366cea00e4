/** Azurite in memory, with a proxy before it that makes it as far away as a storage account is. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import type { Machine } from '../machine.ts';
import { freePort, startProcess } from '../start-process.ts';

export const AZURITE_MISSING = 'Azurite: npm install';

/** Azurite's published account, the same on every machine. */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export interface AzuriteServer {
  readonly container: ContainerClient;
  /** Through the proxy. */
  readonly connectionString: string;
  /** Where the container's blobs are, through the proxy. */
  readonly containerUrl: string;
  /** Requests that came through the proxy. */
  calls(): number;
  stop(): Promise<void>;
}

function connectionString(port: number): string {
  const endpoint = `http://127.0.0.1:${port}/${ACCOUNT}`;
  return `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${endpoint};`;
}

/** What the client sends arrives so much later: once for each request, as a request is one packet. */
async function startDelay(target: number, delayMs: number) {
  let calls = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [client, far]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.once('error', () => {
        client.destroy();
        far.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      calls += 1;
      setTimeout(() => far.writable && far.write(chunk), delayMs);
    });
    client.once('end', () => setTimeout(() => far.end(), delayMs));
    far.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  // A TCP server's address is one.
  return { port: (server.address() as AddressInfo).port, calls: () => calls, stop };
}

export async function startAzurite(
  name: string,
  delayMs: number,
  machine: Machine,
): Promise<AzuriteServer | undefined> {
  let program = '';
  try {
    const found = createRequire(import.meta.url).resolve('azurite/package.json');
    program = join(dirname(found), 'dist/src/blob/main.js');
  } catch {
    return undefined;
  }
  const port = await freePort();
  const flags = ['--skipApiVersionCheck', '--disableTelemetry', '--inMemoryPersistence', '--silent'];
  const args = [program, '--blobHost', '127.0.0.1', '--blobPort', String(port), ...flags];
  const running = await startProcess(process.execPath, args, {
    core: machine.loadCore,
    isReady: (output) => output.includes('successfully listens'),
  });
  const delay = await startDelay(port, delayMs);
  const container = BlobServiceClient.fromConnectionString(connectionString(port)).getContainerClient(name);
  await container.create();
  return {
    container,
    connectionString: connectionString(delay.port),
    containerUrl: `http://127.0.0.1:${delay.port}/${ACCOUNT}/${name}`,
    calls: delay.calls,
    async stop() {
      delay.stop();
      await running.stop();
    },
  };
}
