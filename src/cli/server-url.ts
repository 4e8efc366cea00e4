/** Which server a client command speaks to, and the addresses on it. */
import { UsageError, type Terminal } from './terminal.ts';

const ANY_ADDRESS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::', '[::]']);

/** AFTERIMAGE_URL, else the server that HOST and PORT describe: inside its container or beside its `.env`. */
function defaultUrl(env: Terminal['env']): string {
  const named = env['AFTERIMAGE_URL']?.trim();
  if (named !== undefined && named !== '') return named;
  const host = env['HOST']?.trim() ?? '';
  const port = env['PORT']?.trim() ?? '';
  const reachable = ANY_ADDRESS.has(host) ? '127.0.0.1' : host;
  const bracketed = reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable;
  return `http://${bracketed}:${/^\d+$/.test(port) && port !== '0' ? port : '8080'}`;
}

/** With a slash at its end, so that addresses resolve below it. */
export function serverUrl(given: string | undefined, env: Terminal['env']): URL {
  const text = given ?? defaultUrl(env);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`"${text}" is not a server's address: expected one such as http://127.0.0.1:8080`);
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.search = '';
  return url;
}

/** `/images/a` of a server that may live below a path. */
export function addressOn(server: URL, path: string): URL {
  return new URL(path.replace(/^\/+/, './'), server);
}

/** For `Authorization`; none without a token. */
export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined || token === '' ? {} : { Authorization: `Bearer ${token}` };
}
