/**
 * `afterimage serve`: settings in, a running server, and its one end: asked to stop (0), not able to
 * start or broken (1), configured wrongly (78). What the server is made of is the app's business.
 */
import { availableParallelism } from 'node:os';
import { oneOfSeveral, type OneOfSeveral } from '../app/one-of-several.ts';
import { ConfigError, loadConfig } from '../config/load.ts';
import { planProcesses, type ProcessPlan } from '../config/plan-processes.ts';
import type { Config } from '../config/table.ts';
import { loadNative } from '../http/native.ts';
import { createLog, type Log } from '../observe/log.ts';
import { printable } from './printable.ts';
import { readArgs } from './read-args.ts';
import type { Terminal } from './terminal.ts';
import { whereToLook } from './where-to-look.ts';

const EX_CONFIG = 78;

export const SERVE_HELP = `afterimage serve

Runs the server until SIGTERM or SIGINT, then finishes what is under way and ends with 0; a second
signal ends it at once. Settings are environment variables, or lines of a .env file:`;

function checkedConfig(terminal: Terminal): Config | undefined {
  try {
    return loadConfig(terminal.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) terminal.err(`afterimage: ${printable(problem)}`);
    terminal.err('afterimage: not started; afterimage serve --help lists every setting');
    return undefined;
  }
}

/** What was loaded; undefined, and said in one line, where this machine or Node version has none. */
async function loadedNative(terminal: Terminal): Promise<string | undefined> {
  try {
    return await loadNative();
  } catch (error) {
    terminal.err(`afterimage: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Nothing can be known of the state after an error that nobody caught: log it and end. */
function firstFatal(log: Log): Promise<number> {
  return new Promise((resolve) => {
    process.on('uncaughtException', (error, from) => {
      log.fatal({ err: error, from }, 'an error that nobody caught: ending');
      resolve(1);
    });
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Whoever listens on every address is found on the loopback one. */
function addressHere(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** A log of JSON lines alone must stay one. */
function sayWhereToLook(url: string, config: Config, terminal: Terminal): void {
  if (config.LOG_FORMAT === 'json') return;
  for (const line of whereToLook(addressHere(url), config.WRITE_TOKEN !== '')) terminal.out(line);
}

interface RunOptions {
  readonly config: Config;
  readonly log: Log;
  readonly terminal: Terminal;
}

async function run({ config, log, terminal }: RunOptions, peers?: OneOfSeveral['peers']): Promise<number> {
  try {
    // Only now: the app's modules import the native module themselves.
    const { startApp } = await import('../app.ts');
    const app = await startApp(config, peers === undefined ? { log } : { log, peers });
    if (peers === undefined) sayWhereToLook(app.url, config, terminal);
    else peers.listening(app.url);
    await aborted(peers === undefined ? terminal.signal : AbortSignal.any([terminal.signal, peers.stop]));
    log.info('stopping: finishing what is under way');
    await app.close();
    log.info('stopped');
    return 0;
  } catch (error) {
    log.fatal({ err: error }, error instanceof Error ? error.message : String(error));
    return 1;
  }
}

async function runSeveral(count: number, { config, log, terminal }: RunOptions): Promise<number> {
  const { runHost } = await import('../app/host.ts');
  const onListening = (url: string): void => sayWhereToLook(url, config, terminal);
  return runHost(config, { count, env: terminal.env, log, stop: terminal.signal, onListening });
}

export async function serve(args: readonly string[], terminal: Terminal): Promise<number> {
  readArgs(args, {}, false);
  const whole = checkedConfig(terminal);
  if (whole === undefined) return EX_CONFIG;
  const { config, peers } = oneOfSeveral(whole, terminal.env) ?? { config: whole };
  const log = createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT, process: peers?.number });
  const options = { config, log, terminal };
  const host = { platform: process.platform, cores: availableParallelism() };
  const plan: ProcessPlan = peers === undefined ? planProcesses(config, host) : { count: 1 };
  if (plan.count > 1) return Promise.race([runSeveral(plan.count, options), firstFatal(log)]);
  const native = await loadedNative(terminal);
  if (native === undefined) return 1;
  log.info(native);
  if (plan.why !== undefined) log.warn(plan.why);
  return Promise.race([run(options, peers), firstFatal(log)]);
}
