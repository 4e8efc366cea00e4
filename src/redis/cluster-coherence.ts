/**
 * Hears of every change on every master of a cluster. Deaf to one is deaf. Knows no slots but to see
 * that none of them is left out.
 */
import type { Cluster, Redis } from 'ioredis';
import { deadline } from './deadline.ts';
import {
  createInvalidation,
  type Invalidation,
  type InvalidationListener,
  type InvalidationStats,
} from './invalidation.ts';
import { masters, type RedisClient } from './redis-client.ts';

export interface CoherenceOptions {
  /** The client that writes. */
  readonly client: RedisClient;
  /** A new connection that can hear, to the one server or to this node of a cluster. */
  readonly subscriber: (node?: Redis) => Redis;
  readonly prefixes: readonly string[];
  readonly probeKey: string;
  readonly heartbeatMs: number;
  readonly deadlineMs: number;
}

/**
 * Nodes come and go: looked after at each heartbeat, and whenever the client says so. After a node left,
 * nothing is trusted until each slot is known to be on a node that is listened to: the keys of a master
 * that died may be changed on another by then.
 */
export function createClusterCoherence(
  client: Cluster,
  options: CoherenceOptions,
  listener: InvalidationListener,
): Invalidation {
  let isCovered = false;
  let isChecking = false;
  let wasArmed = false;
  let heartbeat: NodeJS.Timeout | undefined;
  const nodes = createNodeChannels(options, {
    onInvalidate: listener.onInvalidate,
    onInvalidateAll: listener.onInvalidateAll,
    onLost: tell,
    onArmed() {
      tell('');
      void checkCoverage();
    },
  });
  const isArmed = (): boolean => isCovered && nodes.areAllArmed();

  function tell(reason: string): void {
    const armed = isArmed();
    if (armed === wasArmed) return;
    wasArmed = armed;
    if (armed) listener.onArmed();
    else listener.onLost(reason);
  }

  async function checkCoverage(): Promise<void> {
    if (isCovered || isChecking || !nodes.areAllArmed()) return;
    isChecking = true;
    const listening = nodes.all();
    const isWhole = await areAllMasters(listening, options.deadlineMs);
    const now = nodes.all();
    isCovered = isWhole && now.length === listening.length && now.every((node) => listening.includes(node));
    isChecking = false;
    if (isCovered) tell('');
    // Asks by itself only when a command fails: nobody may send one.
    else client.refreshSlotsCache();
  }

  function reconcile(): void {
    if (nodes.follow(masters(client))) isCovered = false;
    tell('a node left the cluster');
    void checkCoverage();
  }

  return {
    start() {
      client.on('+node', reconcile).on('-node', reconcile);
      heartbeat = setInterval(reconcile, options.heartbeatMs).unref();
      reconcile();
    },
    isArmed,
    stats: () => ({ ...nodes.counts(), armed: isArmed() }),
    close() {
      clearInterval(heartbeat);
      client.off('+node', reconcile).off('-node', reconcile);
      nodes.follow([]);
    },
  };
}

interface NodeChannels {
  /** Listens to these and no others. True: some were left. */
  follow(present: readonly Redis[]): boolean;
  all(): readonly Redis[];
  areAllArmed(): boolean;
  counts(): Omit<InvalidationStats, 'armed'>;
}

function createNodeChannels(options: CoherenceOptions, listener: InvalidationListener): NodeChannels {
  const { client: _, subscriber: connect, ...rules } = options;
  const nodes = new Map<Redis, { readonly channel: Invalidation; readonly subscriber: Redis }>();

  function add(node: Redis): void {
    // A node that nothing was asked of yet is not connected.
    if (node.status === 'wait') node.connect().catch(() => undefined);
    const subscriber = connect(node);
    const channel = createInvalidation({ ...rules, data: node, subscriber }, listener);
    nodes.set(node, { channel, subscriber });
    channel.start();
  }

  return {
    follow(present) {
      let hasLeft = false;
      for (const [node, { channel, subscriber }] of nodes) {
        if (present.includes(node)) continue;
        nodes.delete(node);
        channel.close();
        subscriber.disconnect();
        hasLeft = true;
      }
      for (const node of present) if (!nodes.has(node)) add(node);
      return hasLeft;
    },
    all: () => [...nodes.keys()],
    areAllArmed: () => [...nodes.values()].every(({ channel }) => channel.isArmed()),
    counts() {
      const sum = { invalidations: 0, flushes: 0, losses: 0 };
      for (const { channel } of nodes.values()) {
        const { invalidations, flushes, losses } = channel.stats();
        sum.invalidations += invalidations;
        sum.flushes += flushes;
        sum.losses += losses;
      }
      return sum;
    },
  };
}

const SLOTS = 16_384;

/** Whether these are as many as share all the slots, as one of them sees it. */
async function areAllMasters(nodes: readonly Redis[], deadlineMs: number): Promise<boolean> {
  try {
    const ranges: unknown = await deadline(Promise.resolve(nodes[0]?.cluster('SLOTS')), deadlineMs);
    const addresses = new Set<string>();
    let slots = 0;
    for (const range of Array.isArray(ranges) ? ranges : []) {
      const [from, to, master]: unknown[] = Array.isArray(range) ? range : [];
      if (!Array.isArray(master)) continue;
      slots += Number(to) - Number(from) + 1;
      addresses.add(`${String(master[0])}:${String(master[1])}`);
    }
    return slots === SLOTS && addresses.size === nodes.length;
  } catch {
    // The next heartbeat asks again.
    return false;
  }
}
