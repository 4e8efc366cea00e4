/** Tickets in Redis, so that one from any instance opens a stream at any other, once. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TicketStore } from '../core/grant.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisKeys } from './redis-keys.ts';

const StoredGrant = z.object({
  filters: z.array(z.string()),
  inlineFull: z.boolean(),
  expiresAtMs: z.number(),
});

export function createTicketStore(client: RedisClient, keys: Pick<RedisKeys, 'ticket'>): TicketStore {
  // Who may read Redis learns no ticket from the names.
  const keyOf = (ticket: string): string => keys.ticket(createHash('sha256').update(ticket).digest('hex'));

  return {
    async put(ticket, grant, lifeMs) {
      await client.set(keyOf(ticket), JSON.stringify(grant), 'PX', lifeMs);
    },
    async take(ticket) {
      const key = keyOf(ticket);
      // One transaction: of two who come with the same ticket one finds it. GETDEL would need Redis 6.2.
      const [read] = (await client.multi().get(key).del(key).exec()) ?? [];
      const [error, text] = read ?? [];
      if (error) throw error;
      return typeof text === 'string' ? StoredGrant.parse(JSON.parse(text)) : undefined;
    },
  };
}
