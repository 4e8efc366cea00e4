/**
 * Calls from the pages to their own server: the token that the visitor gave, and problems as sentences.
 * The token lives as long as the tab.
 */

/** To write and administer, or to follow: a server may ask for either, and they are not the same. */
export type TokenKind = 'write' | 'follow';

const keyOf = (kind: TokenKind): string => `afterimage-${kind}-token`;

export interface Problem {
  readonly status: number;
  /** The machine code of docs/errors.md, '' where there was no answer. */
  readonly code: string;
  readonly message: string;
}

export function saveToken(kind: TokenKind, token: string): void {
  sessionStorage.setItem(keyOf(kind), token);
}

/** The header, where the visitor gave a token of this kind. */
export function authorization(kind: TokenKind): { readonly Authorization: string } | undefined {
  const token = sessionStorage.getItem(keyOf(kind));
  return token ? { Authorization: `Bearer ${token}` } : undefined;
}

/** application/problem+json, or whatever came instead. */
export function readProblem(status: number, body: string): Problem {
  let fields: { code?: unknown; detail?: unknown; title?: unknown } | null = null;
  try {
    fields = JSON.parse(body);
  } catch {
    // A proxy's HTML, or nothing: the status has to do.
  }
  const text = fields?.detail ?? fields?.title;
  return {
    status,
    code: typeof fields?.code === 'string' ? fields.code : '',
    message:
      typeof text === 'string' ? text : status === 0 ? 'The server does not answer.' : `Status ${status}.`,
  };
}

export type JsonAnswer = { readonly value: unknown } | { readonly problem: Problem };

/** JSON of the server, or the problem. Never rejects. */
export async function callJson(path: string, init: RequestInit = {}): Promise<JsonAnswer> {
  try {
    const signal = AbortSignal.timeout(5000);
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(authorization('write') ?? {})) headers.set(name, value);
    const response = await fetch(path, { ...init, headers, cache: 'no-store', signal });
    if (!response.ok) return { problem: readProblem(response.status, await response.text()) };
    return { value: await response.json() };
  } catch {
    return { problem: readProblem(0, '') };
  }
}
