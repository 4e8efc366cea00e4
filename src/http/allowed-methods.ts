/** Which methods an address takes, from the routes themselves: what `Allow` says cannot lag behind them. */

export interface MethodRoute {
  /** `stream`: GET, which HEAD does not follow. */
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'del' | 'stream';
  readonly pattern: string;
  /** The address also has to end with this. */
  readonly suffix?: string;
}

/** The value of `Allow` for a path that the pattern matches. */
export type AllowOf = (path: string) => string;

const NAMES = {
  get: ['GET', 'HEAD'],
  put: ['PUT'],
  post: ['POST'],
  patch: ['PATCH'],
  del: ['DELETE'],
  stream: ['GET'],
} as const;

export function takes(route: MethodRoute, path: string): boolean {
  return route.suffix === undefined || path.endsWith(route.suffix);
}

/** By pattern. */
export function allowedMethods(routes: readonly MethodRoute[]): ReadonlyMap<string, AllowOf> {
  const patterns = new Set(routes.map((route) => route.pattern));
  const allowOf = (pattern: string, path: string): string => {
    const fitting = routes.filter((route) => route.pattern === pattern && takes(route, path));
    return [...new Set(fitting.flatMap(({ method }) => NAMES[method]))].join(', ');
  };
  return new Map([...patterns].map((pattern) => [pattern, (path) => allowOf(pattern, path)]));
}
