/** `afterimage health`: asks /readyz and says it by the exit code, for containers and scripts. */
import { readArgs, wholeNumber } from './read-args.ts';
import { addressOn, serverUrl } from './server-url.ts';
import { printable } from './printable.ts';
import type { Terminal } from './terminal.ts';
import { whyFailed } from './why-failed.ts';
import { withDeadline } from './with-deadline.ts';

export const HEALTH_HELP = `afterimage health [--url URL] [--timeout SECONDS]

Asks the server whether it is ready. Exit code 0 when it is, 1 when it is not or does not answer.

  --url URL            the server; default AFTERIMAGE_URL, else http://HOST:PORT
  --timeout SECONDS    longest wait for the answer; default 3`;

const OPTIONS = { url: { type: 'string' }, timeout: { type: 'string' } } as const;

export async function health(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readArgs(args, OPTIONS, false);
  const timeoutS = wholeNumber('timeout', values.timeout, [3, 1, 600]);
  const address = addressOn(serverUrl(values.url, terminal.env), '/readyz');
  try {
    const { ok, status, text } = await withDeadline(terminal.signal, timeoutS * 1000, async (signal) => {
      const response = await fetch(address, { signal });
      return { ok: response.ok, status: response.status, text: await response.text() };
    });
    if (ok) terminal.out('ready');
    else terminal.err(`not ready (${status}): ${printable(text.trim())}`);
    return ok ? 0 : 1;
  } catch (error) {
    terminal.err(`${address.href}: ${whyFailed(error)}`);
    return 1;
  }
}
