/** The built server as a process of its own, started again by hand where a fault kills it, and its readings. */
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { serveCli, newFolder, type CliOptions, type CliRun } from '../../fixtures/run-cli.ts';
import { rm } from 'node:fs/promises';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  header(name: string): string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Beyond it the request counts as hung. */
  readonly deadlineMs?: number;
}

/** What must be as before once a fault is over. */
export interface Holdings {
  readonly fds: number;
  readonly timers: number;
  readonly workersRunning: number;
  readonly workersQueued: number;
  readonly uploadBytes: number;
  readonly lookups: number;
  readonly subscribers: number;
  readonly waitingBytes: number;
}

interface Stats {
  readonly workers: {
    readonly running: number;
    readonly queued: number;
    readonly crashes: number;
    readonly timeouts: number;
    readonly shed: number;
  };
  readonly events: { readonly subscribers: number; readonly waitingBytes: number };
  readonly memory: { readonly rss_bytes: number };
  readonly uploads_in_flight_bytes: number;
  readonly lookups_under_way: number;
  readonly health: {
    readonly parts: readonly { readonly part: string; readonly up: boolean; readonly state: string }[];
  };
}

export interface FaultServer {
  port(): number;
  pid(): number;
  readonly cacheDir: string;
  /** Rejects when the connection breaks or the deadline passes. */
  ask(path: string, ask?: Ask): Promise<Answer>;
  ready(): Promise<boolean>;
  stats(): Promise<Stats>;
  /** Parts that are not up. */
  down(): Promise<readonly string[]>;
  metric(name: string): Promise<number>;
  holdings(): Promise<Holdings>;
  /** All that it printed, over all its lives. */
  log(): string;
  kill(signal: NodeJS.Signals): void;
  ended(): Promise<number | NodeJS.Signals | null>;
  /** After it has ended: again, on the same folder and port. */
  restart(more?: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

const DEADLINE_MS = 20_000;

const SETTINGS = {
  CACHE_DIR: './images',
  CACHE_MIN_FREE_MB: '0',
  LOG_FORMAT: 'json',
  STOP_GRACE_S: '2',
  WORKER_THREADS: '2',
};

/** Not one that the system gives to clients: while nobody listens there, one of them would take it. */
let nextPort = 10_000 + ((process.pid * 37) % 20_000);

async function portToKeep(): Promise<number> {
  for (;;) {
    const port = (nextPort += 1);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (isFree) await new Promise((resolve) => void probe.close(resolve));
    if (isFree) return port;
  }
}

/** `how` it is started. */
export async function startFaultServer(
  settings: Readonly<Record<string, string>> = {},
  how: Pick<CliOptions, 'under'> = {},
): Promise<FaultServer> {
  const folder = newFolder();
  const port = await portToKeep();
  const all = { ...SETTINGS, ...settings, PORT: String(port) };
  let run: CliRun & { readonly url: string } = await serveCli(all, folder, how);
  let said = '';
  // Without keep-alive no client connection is left to be taken for a leak.
  const agent = new Agent({ keepAlive: false });

  async function ask(path: string, { method = 'GET', headers = {}, body, deadlineMs }: Ask = {}) {
    return new Promise<Answer>((resolve, reject) => {
      const signal = AbortSignal.timeout(deadlineMs ?? DEADLINE_MS);
      const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
      const options = { agent, host: '127.0.0.1', port, path, method, signal };
      const asking = request({ ...options, headers: { ...length, ...headers } }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => {
          resolve({
            status: answer.statusCode ?? 0,
            body: Buffer.concat(pieces),
            header: (name) => String(answer.headers[name.toLowerCase()] ?? ''),
          });
        });
      });
      asking.on('error', reject);
      asking.end(body);
    });
  }

  const stats = async (): Promise<Stats> => JSON.parse((await ask('/admin/stats')).body.toString()) as Stats;
  const metric = async (name: string): Promise<number> => {
    const text = (await ask('/metrics')).body.toString();
    const line = text.split('\n').find((each) => each.startsWith(`afterimage_${name} `));
    return line === undefined ? Number.NaN : Number(line.split(' ').at(-1));
  };

  return {
    cacheDir: `${folder}/images`,
    port: () => port,
    pid: () => run.pid,
    ask,
    stats,
    metric,
    ready: async () => (await ask('/readyz')).status === 200,
    down: async () => (await stats()).health.parts.filter(({ up }) => !up).map(({ part }) => part),
    async holdings() {
      const read = await stats();
      const timers = await metric('nodejs_active_resources{type="Timeout"}');
      return {
        fds: await metric('process_open_fds'),
        timers: Number.isNaN(timers) ? 0 : timers,
        workersRunning: read.workers.running,
        workersQueued: read.workers.queued,
        uploadBytes: read.uploads_in_flight_bytes,
        lookups: read.lookups_under_way,
        subscribers: read.events.subscribers,
        waitingBytes: read.events.waitingBytes,
      };
    },
    log: () => said + run.out() + run.err(),
    kill: (signal) => run.kill(signal),
    ended: async () => run.ended,
    async restart(more = {}) {
      await run.ended;
      said += run.out() + run.err();
      run = await serveCli({ ...all, ...more }, folder, how);
    },
    async close() {
      agent.destroy();
      run.kill('SIGKILL');
      await run.ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
