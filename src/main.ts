/**
 * The process: its arguments, environment, outputs and signals go in, its exit code comes out. With
 * launch.cts the only file that touches process.env and process.exit.
 */
import { runCommand } from './cli/run-command.ts';

const EX_INTERRUPTED = 130;

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(EX_INTERRUPTED);
    stop.abort();
  });
}

// `afterimage watch | head -1`: whoever read has gone, and that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const code = await runCommand(process.argv.slice(2), {
  env: process.env,
  signal: stop.signal,
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
});
process.exit(code);
