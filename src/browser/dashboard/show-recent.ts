/** The strip of recent images: the server's own events, newest first, a bounded number of them. */
import type { ImageEvent } from '../client.ts';
import { buildElement, elementOf } from '../pages/build-element.ts';
import { followHere } from '../pages/follow-here.ts';
import { showSmall } from '../pages/show-small.ts';

const IMAGES_MAX = 24;

function addImage(list: HTMLElement, event: ImageEvent): void {
  const item = list.querySelector(`[data-id="${CSS.escape(event.id)}"]`) ?? newItem(event.id);
  list.prepend(item);
  const image = item.querySelector('after-image');
  if (image !== null) void showSmall(image, event, { w: 256, h: 256, fit: 'cover' });
  while (list.children.length > IMAGES_MAX) list.lastElementChild?.remove();
}

function newItem(id: string): HTMLElement {
  const image = buildElement('after-image', { alt: id });
  const address = `live?${new URLSearchParams({ topic: `image:${id}` })}`;
  return buildElement('li', { 'data-id': id }, buildElement('a', { href: address, title: id }, image));
}

export function showRecent(): void {
  const list = elementOf('#recent', HTMLElement);
  const empty = elementOf('#recent-empty', HTMLElement);
  followHere({
    topics: '*',
    onEvent(event) {
      if (event.name === 'image.deleted') list.querySelector(`[data-id="${CSS.escape(event.id)}"]`)?.remove();
      else if (event.url !== undefined && event.name !== 'image.partial') addImage(list, event);
      empty.hidden = list.children.length > 0;
    },
  });
}
