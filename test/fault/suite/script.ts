/**
 * What the loop of failing calls does each time: images handed over, replaced, rendered, deleted and
 * cleared, values, a stream that follows. It knows what each answer may be and notes every other.
 */
import { makePng } from '../../../bench/make-png.ts';
import type { RunningApp } from '../../fixtures/run-app.ts';

export interface Seen {
  /** Accepted bytes by id. Undefined: deleted, and must not be there. Missing: refused, nobody can say. */
  readonly truth: Map<string, Uint8Array | undefined>;
  readonly wrong: string[];
  /** 5xx with a code. */
  readonly refused: string[];
  requests: number;
}

export function createSeen(): Seen {
  return { truth: new Map(), wrong: [], refused: [], requests: 0 };
}

async function codeOf(answer: Response): Promise<string> {
  const type = answer.headers.get('content-type') ?? '';
  if (!type.startsWith('application/problem+json')) return '';
  return ((await answer.json()) as { code: string }).code;
}

/** A user of the server who knows what it should say. */
function createUser(app: RunningApp, name: string, seen: Seen) {
  const { truth, wrong, refused } = seen;

  /** Undefined: refused, and counted; anything but a good status or a 5xx that says why is noted. */
  async function ask(
    path: string,
    good: readonly number[],
    init: RequestInit = {},
  ): Promise<Response | undefined> {
    seen.requests += 1;
    const answer = await fetch(`${app.base}${path}`, init);
    if (good.includes(answer.status)) return answer;
    const code = await codeOf(answer);
    const what = `${init.method ?? 'GET'} ${path}: ${answer.status} ${code}`;
    (answer.status > 500 && code !== '' ? refused : wrong).push(what);
    return undefined;
  }
  /** Whether the image is there for sure, is not for sure, or nobody can say. */
  function mayBe(key: string, there: number, gone: number): readonly number[] {
    if (!truth.has(key)) return [there, gone];
    return truth.get(key) === undefined ? [gone] : [there];
  }
  return {
    ask,
    mayBe: (id: string) => mayBe(`${name}-${id}`, 200, 404),
    async put(id: string, seed: number): Promise<void> {
      const key = `${name}-${id}`;
      const body = new Uint8Array(makePng(1500, seed));
      const answer = await ask(`/images/${key}?topic=${name}`, [200, 201], { method: 'PUT', body });
      if (answer !== undefined) truth.set(key, body);
    },
    async get(id: string): Promise<void> {
      const key = `${name}-${id}`;
      const answer = await ask(`/images/${key}`, mayBe(key, 200, 404));
      const expected = truth.get(key);
      if (answer?.status !== 200 || expected === undefined) return;
      if (!Buffer.from(await answer.arrayBuffer()).equals(expected)) wrong.push(`GET ${key}: other bytes`);
    },
    async remove(id: string, path: string): Promise<void> {
      const key = `${name}-${id}`;
      const answer = await ask(path, [200, 204, ...mayBe(key, 200, 404)], { method: 'DELETE' });
      if (answer === undefined) truth.delete(key);
      else truth.set(key, undefined);
    },
  };
}

/** Everything that changes something, and looks at it at once. */
export async function write(app: RunningApp, name: string, seen: Seen): Promise<void> {
  const user = createUser(app, name, seen);
  await user.put('a', 1);
  await user.put('b', 2);
  await user.put('c', 3);
  await user.get('a');
  await user.ask(`/images/${name}-a?w=64&format=webp`, user.mayBe('a'));
  await user.put('a', 4);
  await user.get('a');
  await user.remove('b', `/images/${name}-b`);
  await user.get('b');
  await user.remove('c', `/admin/cache?key=${name}-c`);
  await user.get('c');
  await user.put('d', 5);
  const value = await user.ask(`/cache/${name}:1`, [200, 201, 204], { method: 'PUT', body: 'one' });
  const got = await user.ask(`/cache/${name}:1`, value === undefined ? [200, 404] : [200]);
  if (got?.status === 200 && (await got.text()) !== 'one') seen.wrong.push('another value');
  const cleared = await user.ask(`/cache?pattern=${name}:*`, [200], { method: 'DELETE' });
  if (cleared !== undefined) await user.ask(`/cache/${name}:1`, [404]);
}

export async function read(app: RunningApp, name: string, seen: Seen): Promise<void> {
  const user = createUser(app, name, seen);
  for (const id of ['a', 'b', 'c', 'd']) await user.get(id);
  await user.ask(`/images/${name}-d?w=64&format=webp`, user.mayBe('d'));
  await user.ask(`/info/${name}-d`, user.mayBe('d'));
}
