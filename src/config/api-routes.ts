/** API_ROUTES as text into routes: which paths of the upstream application are cached, and how long. Pure. */

export interface ApiRoute {
  /** Of the path without its query; `*` and `?` as in every pattern here. */
  readonly pattern: string;
  readonly ttlS: number;
}

const SHAPE = /^(\/api\/[^=\s]*)=(\d{1,8})$/;

/** One `pattern=seconds`; undefined when it is not one. */
export function parseApiRoute(text: string): ApiRoute | undefined {
  const match = SHAPE.exec(text);
  const [, pattern, seconds] = match ?? [];
  if (pattern === undefined || seconds === undefined) return undefined;
  const ttlS = Number(seconds);
  return ttlS > 31_536_000 ? undefined : { pattern, ttlS };
}

/** The upstream's address: http or https, host, nothing after it but a path prefix. */
export function parseUpstream(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plain = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return plain && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined;
}
