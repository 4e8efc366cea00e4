/**
 * What is painted: a blurred preview below, pictures above, each faded in once it is decoded. Later
 * pictures win, however long the earlier ones take. It knows nothing of events and addresses.
 */
import { decodeThumbHash } from './decode-thumb-hash.ts';

const FADE_MS = 420;

const SHEET = new CSSStyleSheet();
SHEET.replaceSync(`
  :host { display: inline-block; position: relative; overflow: hidden; max-width: 100%; vertical-align: middle }
  :host([hidden]) { display: none }
  .preview, .picture { position: absolute; inset: 0; width: 100%; height: 100%;
    object-fit: var(--after-image-fit, cover) }
  .preview { filter: blur(var(--after-image-blur, 10px)); transform: scale(1.1) }
`);

export interface Layers {
  /** A thumbnail (data: URL) or a thumbhash; only below what is already there. */
  preview(source: { readonly thumbnail?: string; readonly thumbhash?: string }): void;
  /** Loads, decodes, fades in. False when it can't be shown, or something later is there already. */
  show(url: string, alt: string): Promise<boolean>;
  rename(alt: string): void;
  /** Size before anything is loaded, so that nothing moves afterwards. A page's own rules win. */
  reserve(width: number, height: number): void;
  clear(): void;
}

function thumbnailLayer(address: string): HTMLElement {
  const image = new Image();
  image.src = address;
  image.alt = '';
  return image;
}

function hashLayer(hash: string): HTMLElement | undefined {
  const pixels = decodeThumbHash(hash);
  if (pixels === undefined) return undefined;
  const canvas = document.createElement('canvas');
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  canvas.getContext('2d')?.putImageData(new ImageData(pixels.rgba, pixels.width, pixels.height), 0, 0);
  canvas.setAttribute('aria-hidden', 'true');
  return canvas;
}

function fadeIn(layer: HTMLElement): Promise<unknown> {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return Promise.resolve();
  const fade = layer.animate([{ opacity: 0 }, { opacity: 1 }], { duration: FADE_MS, easing: 'ease-out' });
  return fade.finished.catch(() => undefined);
}

export function createLayers(root: ShadowRoot): Layers {
  const size = new CSSStyleSheet();
  // Constructed sheets, since a strict style-src refuses a style element.
  root.adoptedStyleSheets = [SHEET, size];
  let asked = 0;
  let shown = 0;

  return {
    preview({ thumbnail, thumbhash }) {
      if (root.querySelector('.picture') !== null) return;
      const layer = thumbnail ? thumbnailLayer(thumbnail) : thumbhash && hashLayer(thumbhash);
      if (!layer) return;
      layer.className = 'preview';
      layer.part.add('preview');
      root.replaceChildren(layer);
    },
    async show(url, alt) {
      const mine = ++asked;
      const image = new Image();
      image.src = url;
      image.alt = alt;
      image.className = 'picture';
      image.part.add('picture');
      const isDecoded = await image.decode().then(
        () => true,
        () => false,
      );
      if (!isDecoded || mine < shown) return false;
      shown = mine;
      const below = [...root.children];
      root.append(image);
      await fadeIn(image);
      for (const layer of below) layer.remove();
      return true;
    },
    rename(alt) {
      for (const image of root.querySelectorAll<HTMLImageElement>('img.picture')) image.alt = alt;
    },
    reserve(width, height) {
      size.replaceSync(`:host { width: ${width}px; aspect-ratio: ${width} / ${height} }`);
    },
    clear() {
      shown = ++asked;
      root.replaceChildren();
    },
  };
}
