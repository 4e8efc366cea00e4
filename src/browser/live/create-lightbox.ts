/** One image large, with all that is known of it. Arrow keys go on to its neighbours, Escape goes back. */
import type { ImageEvent } from '../client.ts';
import { buildElement, elementOf } from '../pages/build-element.ts';
import { formatBytes } from '../pages/format.ts';
import { ownAddress } from '../pages/own-address.ts';

export interface LightboxOptions {
  readonly eventOf: (id: string, step?: number) => ImageEvent | undefined;
  readonly onClosed: (id: string) => void;
}

function row(name: string, value: string, kind = ''): readonly HTMLElement[] {
  const isBroad = kind !== '';
  const pair = [buildElement('dt', {}, name), buildElement('dd', { class: kind || undefined }, value)];
  return value === '' ? [] : [buildElement('div', { class: isBroad ? 'broad' : undefined }, ...pair)];
}

function details(event: ImageEvent): readonly HTMLElement[] {
  const madeAt = Number(event.cursor.split('-')[0]);
  const meta = event.meta && Object.keys(event.meta).length > 0 ? JSON.stringify(event.meta, null, 1) : '';
  return [
    ...row('Size', event.width ? `${event.width} × ${event.height}` : ''),
    ...row('Bytes', event.bytes === undefined ? '' : formatBytes(event.bytes)),
    ...row('Type', event.mime ?? ''),
    ...row('Event', event.name),
    ...row('At', madeAt > 0 ? new Date(madeAt).toLocaleString() : ''),
    ...row('Topics', event.topics.join(', '), 'mono'),
    ...row('Version', event.version ?? '', 'mono'),
    ...row('Cursor', event.cursor, 'mono'),
    ...row('Meta', meta, 'mono'),
  ];
}

export function createLightbox({ eventOf, onClosed }: LightboxOptions): {
  open(id: string): void;
  refresh(id: string): void;
} {
  const dialog = elementOf('#lightbox', HTMLDialogElement);
  const stage = elementOf('#stage', HTMLElement);
  const newer = elementOf('#newer', HTMLButtonElement);
  const older = elementOf('#older', HTMLButtonElement);
  let current = '';

  function show(event: ImageEvent): void {
    const own = ownAddress(event);
    const isSame = current === event.id;
    current = event.id;
    elementOf('#lightbox-title', HTMLElement).textContent = event.id;
    elementOf('#details', HTMLElement).replaceChildren(...details(event));
    elementOf('#original', HTMLAnchorElement).href = own.url ?? '#';
    newer.disabled = eventOf(current, -1) === undefined;
    older.disabled = eventOf(current, 1) === undefined;
    if (!isSame || stage.children.length === 0)
      stage.replaceChildren(buildElement('after-image', { alt: event.id }));
    void stage.querySelector('after-image')?.show(own);
  }

  function step(by: number): void {
    const event = eventOf(current, by);
    if (event !== undefined) show(event);
  }

  newer.addEventListener('click', () => step(-1));
  older.addEventListener('click', () => step(1));
  elementOf('#lightbox-close', HTMLElement).addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  dialog.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft') step(-1);
    else if (event.key === 'ArrowRight') step(1);
  });
  dialog.addEventListener('close', () => {
    stage.replaceChildren();
    onClosed(current);
  });

  return {
    open(id) {
      const event = eventOf(id);
      if (event === undefined) return;
      show(event);
      dialog.showModal();
    },
    /** What is open may go on while it is looked at. */
    refresh(id) {
      const event = eventOf(id);
      if (dialog.open && id === current && event !== undefined) show(event);
    },
  };
}
