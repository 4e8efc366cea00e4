/**
 * `<after-image src topic alt width height>` and `/after-image.js`: a picture that shows itself as it
 * is made. Thumbhash or thumbnail at once, partials as they come, the full image once it is decoded.
 * Without script, an `<img>` inside is what is seen.
 */
import { createLayers, type Layers } from './after-image/create-layers.ts';
import { follow, type Following, type ImageEvent } from './client.ts';

const IMAGES = /^(.*\/)images\/(.+)$/;

/** What the address of an image says; undefined for an address of something else. */
function readSource(src: string): { readonly server: string; readonly id: string } | undefined {
  const { origin, pathname } = new URL(src, document.baseURI);
  const [, prefix, id] = IMAGES.exec(pathname) ?? [];
  return prefix === undefined || id === undefined
    ? undefined
    : { server: origin + prefix, id: decodeURIComponent(id) };
}

/** The page's own size and format, of exactly the version that the event speaks of. */
function atVersion(src: string, version: string): string {
  const address = new URL(src, document.baseURI);
  // A signature covers the query: such an address is left as it is.
  if (!address.searchParams.has('sig')) address.searchParams.set('v', version);
  return address.href;
}

/** A class, since that is what customElements.define takes. */
export class AfterImageElement extends HTMLElement {
  static readonly observedAttributes = ['src', 'topic', 'alt', 'width', 'height', 'thumbhash'];
  readonly #layers: Layers = createLayers(this.attachShadow({ mode: 'open' }));
  #following: Following | undefined;
  #isStale = false;
  #isMissing = false;

  connectedCallback(): void {
    this.#restart();
  }

  disconnectedCallback(): void {
    this.#following?.close();
    this.#following = undefined;
  }

  attributeChangedCallback(name: string): void {
    if (name === 'alt') this.#layers.rename(this.#given('alt'));
    // Several attributes set in a row are one change.
    else if (this.isConnected && !this.#isStale) {
      this.#isStale = true;
      queueMicrotask(() => this.isConnected && this.#restart());
    }
  }

  /**
   * Shows what an event says; whether its picture is now seen. For pages that follow on their own: `src`
   * and `topic` do it by themselves.
   */
  async show(event: ImageEvent): Promise<boolean> {
    if (event.name === 'image.deleted') {
      this.#layers.clear();
      this.#say('deleted', event);
    } else if (event.name === 'image.failed') {
      this.#say('failed', event);
    } else if (event.url !== undefined || event.image_data !== undefined) {
      return this.#picture(event);
    }
    return false;
  }

  async #picture(event: ImageEvent): Promise<boolean> {
    const isPartial = event.name === 'image.partial';
    this.#reserve(event.width, event.height);
    this.#layers.preview(event);
    if (this.#state !== 'partial') this.setAttribute('state', 'preview');
    this.setAttribute('aria-busy', 'true');
    const src = this.#given('src');
    const isOwn = src !== '' && event.version !== undefined && readSource(src)?.id === event.id;
    const asked = isOwn && !isPartial ? atVersion(src, event.version) : event.url;
    const url = (isPartial && event.image_data) || asked || event.image_data;
    const isSeen = url !== undefined && (await this.#layers.show(url, this.#given('alt')));
    if (isSeen) this.#say(isPartial ? 'partial' : 'ready', event);
    return isSeen;
  }

  #restart(): void {
    this.#isStale = false;
    this.#following?.close();
    const src = this.#given('src');
    const source = src === '' ? undefined : readSource(src);
    const topic = this.getAttribute('topic') ?? (source && `image:${source.id}`);
    this.#reserve();
    this.#layers.preview({ thumbhash: this.#given('thumbhash') });
    if (src !== '') void this.#load(src);
    if (!topic) return;
    this.#following = follow({
      topics: topic,
      ...(source && { url: source.server }),
      onEvent: (event) => {
        if (source === undefined || event.id === source.id) void this.show(event);
      },
      onGap: () => src !== '' && void this.#load(src),
      // Made between our asking for it and the stream being there: nobody would tell us.
      onState: (state) => state === 'open' && this.#isMissing && void this.#load(src),
    });
  }

  async #load(src: string): Promise<void> {
    this.setAttribute('aria-busy', 'true');
    this.#isMissing = false;
    const isShown = await this.#layers.show(new URL(src, document.baseURI).href, this.#given('alt'));
    if (isShown) this.#say('ready');
    else if (this.#state !== 'ready') this.#isMissing = true;
  }

  get #state(): string | null {
    return this.getAttribute('state');
  }

  #say(state: 'partial' | 'ready' | 'deleted' | 'failed', event?: ImageEvent): void {
    this.setAttribute('state', state);
    this.setAttribute('aria-busy', String(state === 'partial'));
    this.dispatchEvent(new CustomEvent(state, { detail: event }));
  }

  /** An attribute, else that of the `<img>` inside. */
  #given(name: string): string {
    return this.getAttribute(name) ?? this.querySelector('img')?.getAttribute(name) ?? '';
  }

  #reserve(width = 0, height = 0): void {
    const w = Number(this.#given('width')) || width;
    const h = Number(this.#given('height')) || (width > 0 ? (w * height) / width : 0);
    if (w > 0 && h > 0) this.#layers.reserve(w, h);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'after-image': AfterImageElement;
  }
}

if (!customElements.get('after-image')) customElements.define('after-image', AfterImageElement);
