/** Which keys were made from which: the renderings of an image go when it goes. Holds keys only. */

export interface ChildIndex {
  add(parent: string, child: string): void;
  remove(parent: string, child: string): void;
  /** A copy: the caller removes children while it walks them. */
  of(parent: string): readonly string[];
  clear(): void;
}

const NONE: readonly string[] = [];

export function createChildIndex(): ChildIndex {
  const children = new Map<string, Set<string>>();

  return {
    add: (parent, child) => {
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, new Set([child]));
      else siblings.add(child);
    },
    remove: (parent, child) => {
      const siblings = children.get(parent);
      if (siblings === undefined) return;
      siblings.delete(child);
      if (siblings.size === 0) children.delete(parent);
    },
    of: (parent) => {
      const siblings = children.get(parent);
      return siblings === undefined ? NONE : [...siblings];
    },
    clear: () => children.clear(),
  };
}
