/**
 * The seam between publishing an event and delivering it here: it gives events their cursor and their
 * order, keeps history, and knows nothing of subscribers. One process: local-bus; many: redis-bus.
 */
import type { EventDraft, ImageEvent } from '../core/event.ts';

export interface Replay {
  /** In cursor order: every final, and the newest partial of each image that has no final after it. */
  readonly events: readonly ImageEvent[];
  /** `events` come after it: the cursor that was asked for, or an earlier one where that is ahead of all. */
  readonly since: string;
  /** Set when something before these events is gone: the machine reason of the `gap`. */
  readonly gap?: GapReason;
}

/** evicted: out of history by count, bytes or age. restarted: from before this history began. ahead: not from here. */
export type GapReason = 'evicted' | 'restarted' | 'ahead' | 'disconnected';

export interface Bus {
  /** Gives the event its cursor and delivers it to every listener, here and elsewhere, in order. */
  publish(draft: EventDraft): Promise<ImageEvent>;
  /** The position after the newest event that was delivered here: a stream that resumes from it misses nothing. */
  head(): string;
  /**
   * Events after `since` that any of the filters matches. Everything published before the call is in it,
   * also what the listener has not been given yet.
   */
  replay(filters: readonly string[], since: string): Promise<Replay>;
  /** Called for each event in cursor order. The bus holds one listener: the hub. */
  listen(onEvent: (event: ImageEvent) => void, onGap: (reason: GapReason) => void): void;
  close(): Promise<void>;
}
