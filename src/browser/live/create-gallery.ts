/**
 * The cards of the gallery: one per image id, newest first, a bounded number. It is given events and
 * turns them into pictures; where they come from, and what a click opens, is decided outside.
 */
import type { ImageEvent } from '../client.ts';
import { buildElement } from '../pages/build-element.ts';
import { showSmall } from '../pages/show-small.ts';

const CARDS_MAX = 200;
const CARD_PX = { w: 512 };

interface Card {
  readonly item: HTMLElement;
  readonly image: HTMLElementTagNameMap['after-image'];
  readonly badge: HTMLElement;
  readonly size: HTMLElement;
  /** The last event that showed something. */
  event: ImageEvent;
}

function createCard(event: ImageEvent, onOpen: (id: string) => void): Card {
  const image = buildElement('after-image', { alt: event.id });
  const badge = buildElement('span', { class: 'badge', hidden: true });
  const size = buildElement('span');
  const button = buildElement('button', { type: 'button', 'aria-haspopup': 'dialog' }, image);
  button.addEventListener('click', () => onOpen(event.id));
  const name = buildElement('b', { title: event.id }, buildElement('bdi', {}, event.id));
  const caption = buildElement('div', { class: 'caption' }, name, size);
  const item = buildElement('li', { class: 'shot', 'data-id': event.id }, button, badge, caption);
  return { item, image, badge, size, event };
}

function describe(card: Card, event: ImageEvent): void {
  const isPartial = event.name === 'image.partial';
  const isFailed = event.name === 'image.failed';
  card.item.dataset['state'] = isPartial ? 'partial' : isFailed ? 'failed' : 'ready';
  card.badge.hidden = !isPartial && !isFailed;
  card.badge.textContent = isFailed ? 'failed' : `partial ${(event.partial_index ?? 0) + 1}`;
  if (event.width && event.height) card.size.textContent = `${event.width} × ${event.height}`;
}

/** Large originals are shown as a rendering of card size; a partial is not worth one. */
function variantOf(event: ImageEvent): Readonly<Record<string, number>> {
  return event.name !== 'image.partial' && (event.width ?? 0) > CARD_PX.w ? CARD_PX : {};
}

export interface Gallery {
  give(event: ImageEvent): void;
  clear(): void;
  /** The event behind a card, or behind the one `step` places after it (-1: before). */
  eventOf(id: string, step?: number): ImageEvent | undefined;
  focus(id: string): void;
}

export function createGallery(
  list: HTMLElement,
  onOpen: (id: string) => void,
  onCount: (count: number) => void,
): Gallery {
  const cards = new Map<string, Card>();

  function remove(id: string): void {
    cards.get(id)?.item.remove();
    cards.delete(id);
  }

  function show(event: ImageEvent): void {
    const known = cards.get(event.id);
    const card = known ?? createCard(event, onOpen);
    cards.set(event.id, card);
    const isReplaced = known?.item.dataset['state'] === 'ready' && known.event.version !== event.version;
    if (known === undefined || isReplaced) list.prepend(card.item);
    card.event = event;
    describe(card, event);
    void showSmall(card.image, event, variantOf(event));
    while (list.children.length > CARDS_MAX)
      remove((list.lastElementChild as HTMLElement).dataset['id'] ?? '');
  }

  return {
    give(event) {
      const card = cards.get(event.id);
      if (event.name === 'image.deleted') remove(event.id);
      else if (event.name === 'image.failed' && card) describe(card, event);
      else if (event.url !== undefined) show(event);
      onCount(cards.size);
    },
    clear() {
      for (const id of cards.keys()) remove(id);
      onCount(0);
    },
    eventOf(id, step = 0) {
      const items = [...list.children] as HTMLElement[];
      const index = items.findIndex((item) => item.dataset['id'] === id);
      const item = index === -1 ? undefined : items[index + step];
      return item && cards.get(item.dataset['id'] ?? '')?.event;
    },
    focus: (id) => cards.get(id)?.item.querySelector('button')?.focus(),
  };
}
