/** What a subscriber may follow. Pure: how it proved that is the transport's business. */
import { isPrefixFilter, topicMatches } from './topic.ts';

export interface Grant {
  /** Topics and patterns; every filter that is followed lies within one of them. */
  readonly filters: readonly string[];
  /** Whether events may carry the image itself. */
  readonly inlineFull: boolean;
  /** When the stream ends, with reason `expired`; 0: never. */
  readonly expiresAtMs: number;
}

export const GRANT_ALL: Grant = { filters: ['*'], inlineFull: true, expiresAtMs: 0 };

/** A filter lies within a pattern when everything it could match does. */
export function isGranted(grant: Grant, filter: string): boolean {
  return grant.filters.some((granted) => {
    if (!isPrefixFilter(granted)) return granted === filter;
    return topicMatches(granted, isPrefixFilter(filter) ? filter.slice(0, -1) : filter);
  });
}

/** Where tickets are kept that any instance may take: each is found there once. Both reject while it is away. */
export interface TicketStore {
  put(ticket: string, grant: Grant, lifeMs: number): Promise<void>;
  /** Undefined: used up, expired or never given. */
  take(ticket: string): Promise<Grant | undefined>;
}
