/** An image as a rendering of the size of a card, rather than megabytes for a few hundred pixels. */
import type { ImageEvent } from '../client.ts';
import { ownAddress } from './own-address.ts';

type Variant = Readonly<Record<string, string | number>>;

/** Where VARIANT_SIZES has no such size, the image itself; unless something newer has come meanwhile. */
export async function showSmall(
  image: HTMLElementTagNameMap['after-image'],
  event: ImageEvent,
  variant: Variant,
): Promise<void> {
  image.dataset['cursor'] = event.cursor;
  const isSeen = await image.show(ownAddress(event, variant));
  if (!isSeen && image.dataset['cursor'] === event.cursor) await image.show(ownAddress(event));
}
