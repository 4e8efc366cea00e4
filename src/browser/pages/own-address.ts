/**
 * An event with its address on this page's own server, whatever public address the server gives to
 * others (a CDN): the page's content policy allows no other.
 */
import type { ImageEvent } from '../client.ts';

type Variant = Readonly<Record<string, string | number>>;

export function ownAddress(event: ImageEvent, variant: Variant = {}): ImageEvent {
  if (event.url === undefined) return event;
  const given = new URL(event.url);
  const path = /images\/.*$/.exec(given.pathname)?.[0] ?? given.pathname;
  const own = new URL(path + given.search, document.baseURI);
  for (const [name, value] of Object.entries(variant)) own.searchParams.set(name, String(value));
  return { ...event, url: own.href };
}
