/**
 * `afterimage/client` and `/client.js`: follow images as they are made. All calls of a page with the
 * same server and mode share one stream; it resumes by cursor, so that nothing is lost or told twice.
 */
import type { Follower, FollowState } from './client/followers.ts';
import type { ImageEvent } from './client/image-event.ts';
import type { OpenLink } from './client/link.ts';
import { openSse } from './client/open-sse.ts';
import { openWebSocket } from './client/open-web-socket.ts';
import { createSharedStream, type SharedStream } from './client/shared-stream.ts';

export type { FollowState, ImageEvent };

export interface FollowOptions {
  /** Address of the server; by default the one that this script came from. */
  readonly url?: string | URL;
  /** `image:<id>`, a topic of a producer (`job:42`), a prefix (`job:*`), or `*` for all. */
  readonly topics: string | readonly string[];
  /** What comes along in the event: a tiny thumbnail (default), an image up to `inlineMax` bytes, nothing. */
  readonly inline?: 'thumbnail' | 'full' | 'none';
  readonly inlineMax?: number;
  readonly transport?: 'sse' | 'ws';
  /** A cursor to go on from, for instance one that the page was rendered with. */
  readonly since?: string;
  /** Called before each connection where the server wants to know who follows; '' sends none. */
  readonly ticket?: () => string | Promise<string>;
  /** Sends cookies to a server of another origin. */
  readonly withCredentials?: boolean;
  readonly signal?: AbortSignal;
  readonly onPartial?: (image: ImageEvent) => void;
  readonly onReady?: (image: ImageEvent) => void;
  readonly onDeleted?: (image: ImageEvent) => void;
  readonly onFailed?: (image: ImageEvent) => void;
  /** Every event, also those whose name the producer chose. */
  readonly onEvent?: (event: ImageEvent) => void;
  /** Something was missed and cannot be had again: load what the page shows anew. */
  readonly onGap?: (gap: ImageEvent) => void;
  readonly onState?: (state: FollowState, reason: string) => void;
}

export interface Following {
  /** The last event that was seen; '' before the first. */
  readonly cursor: string;
  close(): void;
}

const LINKS = { sse: ['events', openSse], ws: ['ws', openWebSocket] } as const;
const streams = new Map<string, SharedStream>();

/** Bundled, this script's address says nothing: then the page's own server is meant. */
function defaultServer(): string {
  const own = new URL(import.meta.url);
  return own.protocol.startsWith('http') && own.pathname === '/client.js' ? own.href : location.href;
}

function newStream(server: URL, options: FollowOptions): SharedStream {
  const { inline = 'thumbnail', inlineMax, transport = 'sse', ticket, withCredentials = false } = options;
  const [path, open]: readonly [string, OpenLink] = LINKS[transport];
  return createSharedStream({
    dial: (topics, since) => async (handlers) => {
      const address = new URL(path, server);
      for (const topic of topics) address.searchParams.append('topic', topic);
      address.searchParams.set('inline', inline);
      if (inlineMax !== undefined) address.searchParams.set('inline_max', String(inlineMax));
      if (transport === 'ws' && inline === 'full') address.searchParams.set('binary', '1');
      if (since !== '') address.searchParams.set('last_event_id', since);
      const paper = await ticket?.();
      if (paper) address.searchParams.set('ticket', paper);
      return () => open(address, handlers, withCredentials);
    },
    toEvent(name, cursor, data) {
      const fields = (typeof data === 'object' ? data : null) as Partial<ImageEvent> | null;
      const event = { id: '', topics: [], ...fields, name, cursor };
      return event.full === undefined ? event : { ...event, url: new URL(event.full, server).href };
    },
  });
}

function sharedStream(options: FollowOptions): SharedStream {
  const server = new URL('./', new URL(options.url ?? defaultServer(), location.href));
  const { inline, inlineMax, transport, withCredentials } = options;
  const key = [server.href, inline, inlineMax, transport, withCredentials].join(' ');
  const stream = streams.get(key) ?? newStream(server, options);
  streams.set(key, stream);
  return stream;
}

/** A page's mistake in a callback is the page's: it is reported, and the next event comes all the same. */
function guard(run: () => void): void {
  try {
    run();
  } catch (error) {
    reportError(error);
  }
}

function toFollower(filters: readonly string[], options: FollowOptions): Follower {
  const named: Readonly<Record<string, ((event: ImageEvent) => void) | undefined>> = {
    'image.partial': options.onPartial,
    'image.ready': options.onReady,
    'image.deleted': options.onDeleted,
    'image.failed': options.onFailed,
    gap: options.onGap,
  };
  return {
    filters,
    cursor: options.since ?? '',
    joined: false,
    onEvent(event) {
      guard(() => named[event.name]?.(event));
      guard(() => options.onEvent?.(event));
    },
    onState: (state, reason) => guard(() => options.onState?.(state, reason)),
  };
}

export function follow(options: FollowOptions): Following {
  const filters = [options.topics].flat();
  if (filters.length === 0 || filters.some((one) => !/^[^*]+\*?$|^\*$/.test(one))) {
    throw new TypeError('follow: topics are not empty, and have a `*` only at their end');
  }
  const stream = sharedStream(options);
  const follower = toFollower(filters, options);
  const close = (): void => stream.remove(follower);
  if (!options.signal?.aborted) {
    stream.add(follower);
    options.signal?.addEventListener('abort', close, { once: true });
  }
  return {
    close,
    get cursor() {
      return follower.cursor;
    },
  };
}
