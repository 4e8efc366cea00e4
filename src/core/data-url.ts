/** The base64 text of a `data:` URL (RFC 2397). Its media type is read only to refuse SVG by name. */
import { AppError } from '../errors.ts';

/** Media type and parameters; a longer head is no data URL of an image. */
const HEAD_CHARS_MAX = 256;

export function isDataUrl(text: string): boolean {
  return text.slice(0, 5).toLowerCase() === 'data:';
}

export function dataUrlPayload(text: string): string {
  const head = text.slice(0, HEAD_CHARS_MAX);
  const comma = head.indexOf(',');
  if (!isDataUrl(head) || comma === -1) throw new AppError('data_url_invalid');
  const description = head.slice(5, comma).trim().toLowerCase();
  if (description.startsWith('image/svg')) throw new AppError('svg_refused');
  if (!description.endsWith(';base64')) throw new AppError('data_url_invalid');
  return text.slice(comma + 1);
}
