/**
 * Hears of every change on every server that holds keys: one invalidation channel for a single server,
 * one for each master of a cluster. Deaf to one is deaf.
 */
import type { Redis } from 'ioredis';
import {
  createInvalidation,
  type Invalidation,
  type InvalidationListener,
  type InvalidationStats,
} from './invalidation.ts';
import { isCluster, masters, type RedisClient } from './redis-client.ts';

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

export function createCoherence(options: CoherenceOptions, listener: InvalidationListener): Invalidation {
  const { client, subscriber, ...channel } = options;
  if (isCluster(client)) return createClusterCoherence(options, listener);
  return createInvalidation({ ...channel, data: client, subscriber: subscriber() }, listener);
}

interface NodeChannel {
  readonly channel: Invalidation;
  readonly subscriber: Redis;
}

/** Nodes come and go: looked after at each heartbeat, and whenever the client says so. */
function createClusterCoherence(options: CoherenceOptions, listener: InvalidationListener): Invalidation {
  const { client, subscriber: connect, ...channelOptions } = options;
  const nodes = new Map<Redis, NodeChannel>();
  let wasArmed = false;
  let heartbeat: NodeJS.Timeout | undefined;

  const isArmed = (): boolean =>
    nodes.size > 0 && [...nodes.values()].every(({ channel }) => channel.isArmed());

  function tell(reason: string): void {
    const armed = isArmed();
    if (armed === wasArmed) return;
    wasArmed = armed;
    if (armed) listener.onArmed();
    else listener.onLost(reason);
  }

  function add(node: Redis): void {
    // A node that nothing was asked of yet is not connected.
    if (node.status === 'wait') node.connect().catch(() => undefined);
    const subscriber = connect(node);
    const channel = createInvalidation(
      { ...channelOptions, data: node, subscriber },
      {
        onInvalidate: listener.onInvalidate,
        onInvalidateAll: listener.onInvalidateAll,
        onArmed: () => tell(''),
        onLost: tell,
      },
    );
    nodes.set(node, { channel, subscriber });
    channel.start();
  }

  function drop(node: Redis, { channel, subscriber }: NodeChannel): void {
    nodes.delete(node);
    channel.close();
    subscriber.disconnect();
  }

  function reconcile(): void {
    const present = new Set(masters(client));
    for (const [node, channel] of nodes) if (!present.has(node)) drop(node, channel);
    for (const node of present) if (!nodes.has(node)) add(node);
    tell('the nodes of the cluster changed');
  }

  return {
    start() {
      client.on('+node', reconcile).on('-node', reconcile);
      heartbeat = setInterval(reconcile, options.heartbeatMs).unref();
      reconcile();
    },
    isArmed,
    stats: () =>
      sumOf(
        [...nodes.values()].map(({ channel }) => channel.stats()),
        isArmed(),
      ),
    close() {
      clearInterval(heartbeat);
      client.off('+node', reconcile).off('-node', reconcile);
      for (const [node, channel] of nodes) drop(node, channel);
    },
  };
}

function sumOf(stats: readonly InvalidationStats[], armed: boolean): InvalidationStats {
  const sum = (pick: (one: InvalidationStats) => number): number =>
    stats.reduce((total, one) => total + pick(one), 0);
  return {
    armed,
    invalidations: sum(({ invalidations }) => invalidations),
    flushes: sum(({ flushes }) => flushes),
    losses: sum(({ losses }) => losses),
  };
}
