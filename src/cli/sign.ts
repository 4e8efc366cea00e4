/** `afterimage sign`: image addresses that hold until they expire, also for sizes outside the list. */
import { signAddress } from '../core/signature.ts';
import { readArgs, wholeNumber } from './read-args.ts';
import { addressOn, serverUrl } from './server-url.ts';
import { UsageError, type Terminal } from './terminal.ts';

export const SIGN_HELP = `afterimage sign PATH… [--expires-in SECONDS] [--url URL]

Prints each path (/images/hero?w=900&format=webp) as an address signed with the first of SIGNING_KEYS.

  --expires-in SECONDS  how long the address holds; default 3600
  --url URL             the server; default AFTERIMAGE_URL, else http://HOST:PORT`;

const OPTIONS = { 'expires-in': { type: 'string' }, url: { type: 'string' } } as const;
const EXPIRES_IN_S = [3600, 1, 31_536_000] as const;

export async function sign(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArgs(args, OPTIONS, true);
  if (positionals.length === 0) throw new UsageError('say which path to sign: /images/ID?w=900');
  const [key = ''] = (terminal.env['SIGNING_KEYS'] ?? '').split(',').map((text) => text.trim());
  if (key === '') throw new UsageError('SIGNING_KEYS is not set: the server and this command share it');
  const expiresInS = wholeNumber('expires-in', values['expires-in'], EXPIRES_IN_S);
  const server = serverUrl(values.url, terminal.env);
  for (const path of positionals) {
    if (!path.startsWith('/images/'))
      throw new UsageError(`"${path}" is no image path: it starts with /images/`);
    const { pathname, search } = new URL(path, server);
    const signed = signAddress(`${pathname}${search}`, key, Math.floor(Date.now() / 1000) + expiresInS);
    terminal.out(addressOn(server, signed).href);
  }
  return 0;
}
