/**
 * Hears of every change on every server that holds keys: one invalidation channel for a single server,
 * one for each master of a cluster.
 */
import { createClusterCoherence, type CoherenceOptions } from './cluster-coherence.ts';
import { createInvalidation, type Invalidation, type InvalidationListener } from './invalidation.ts';
import { isCluster } from './redis-client.ts';

export function createCoherence(options: CoherenceOptions, listener: InvalidationListener): Invalidation {
  const { client, subscriber, ...channel } = options;
  if (isCluster(client)) return createClusterCoherence(client, options, listener);
  return createInvalidation({ ...channel, data: client, subscriber: subscriber() }, listener);
}
