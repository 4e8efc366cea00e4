/**
 * What may be an image id. An id never becomes part of a path on disk (files are named by hash), so
 * the rules only keep URLs, logs and headers unambiguous.
 */
import { AppError } from '../errors.ts';
import { IMAGE_ID_CHARS_MAX } from './limits.ts';

// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u001f\u007f?#\\]/;

/** The id, unchanged, or AppError `image_id_invalid`. Takes it already percent-decoded. */
export function checkImageId(id: string): string {
  if (id.length === 0 || id.length > IMAGE_ID_CHARS_MAX || FORBIDDEN.test(id) || !id.isWellFormed()) {
    throw new AppError('image_id_invalid');
  }
  for (const segment of id.split('/')) {
    if (segment === '' || segment === '.' || segment === '..') throw new AppError('image_id_invalid');
  }
  return id;
}

/** The path under which an id is served: each segment encoded, the slashes kept. */
export function imagePath(id: string): string {
  return `/images/${id.split('/').map(encodeURIComponent).join('/')}`;
}
