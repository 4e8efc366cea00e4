/**
 * Makes the Nth call fail of all that a server makes to the world outside it: files, workers, Redis,
 * Azure. Each of them goes through `edge`; between `arm` and `disarm` they are counted, and the Nth
 * rejects once, as if the world had failed it.
 */
interface Armed {
  readonly failAt: number;
  readonly kind: RegExp;
  calls: number;
  failed: string;
}

let armed: Armed | undefined;

/** Calls of other kinds are not counted. */
export function arm(failAt: number, kind = /^/): void {
  armed = { failAt, kind, calls: 0, failed: '' };
}

/** How many calls there were, and which one failed; '' when there were fewer. */
export function disarm(): { readonly calls: number; readonly failed: string } {
  const result = armed ?? { calls: 0, failed: '' };
  armed = undefined;
  return result;
}

/** Undefined: this call is not the one. */
export function failureOf(name: string): Error | undefined {
  if (armed === undefined || !armed.kind.test(name)) return undefined;
  armed.calls += 1;
  if (armed.calls !== armed.failAt) return undefined;
  armed.failed = name;
  return Object.assign(new Error(`EIO: made to fail: ${name}`), { code: 'EIO' });
}

type Call = (...args: never[]) => Promise<unknown>;

/** The same call, which may be the one that fails; `after`: when it has done its work all the same. */
export function edge<C extends Call>(name: string, call: C, after = false): C {
  const failing = async (...args: never[]): Promise<unknown> => {
    const failure = failureOf(name);
    if (failure === undefined) return call(...args);
    if (after) await call(...args);
    throw failure;
  };
  // The same arguments and the same result.
  return failing as C;
}

/** Every method of the object that is one of `names`, in a copy of what it was. */
export function withEdges<O extends object>(kind: string, original: O, names: readonly string[]): O {
  return new Proxy(original, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const bound = value.bind(target) as Call;
      // A file handle is closed however its closing went.
      return typeof name === 'string' && names.includes(name)
        ? edge(`${kind}.${name}`, bound, name === 'close')
        : bound;
    },
  });
}
