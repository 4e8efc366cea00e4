/**
 * The closed table of everything that can go wrong for a caller: code, status, title and what to do.
 * docs/errors.md is generated from it. It knows nothing of HTTP beyond the status number, and no
 * internal message ever passes from a cause to a caller: only `detail` does.
 */

interface ErrorRow {
  readonly status: number;
  readonly title: string;
  /** What the caller can do; used as `detail` where the thrower has nothing more exact. */
  readonly advice: string;
  /** Seconds for `Retry-After`; only where trying again can help. */
  readonly retryAfterS?: number;
}

export const ERROR_TABLE = {
  image_id_invalid: {
    status: 400,
    title: 'Image id not valid',
    advice:
      'An id is 1 to 512 characters, without control characters, `?`, `#`, `\\`, empty segments, `.` or `..` segments.',
  },
  key_invalid: {
    status: 400,
    title: 'Cache key not valid',
    advice: 'A key is 1 to 1024 characters without control characters.',
  },
  query_invalid: {
    status: 400,
    title: 'Query not valid',
    advice: 'See docs/protocol.md for the parameters of this call and their bounds.',
  },
  size_unlisted: {
    status: 400,
    title: 'Size not on the list',
    advice: 'Ask for one of the sizes in VARIANT_SIZES.',
  },
  length_uncertain: {
    status: 400,
    title: 'Length of the body not certain',
    advice: 'Send one Content-Length, or Transfer-Encoding: chunked alone.',
  },
  body_empty: {
    status: 400,
    title: 'Body is empty',
    advice: 'Send the image as raw bytes, as JSON with `base64_data`, or as a data URL.',
  },
  json_invalid: {
    status: 400,
    title: 'JSON not valid',
    advice: 'The body says application/json but does not parse as a JSON object of the documented shape.',
  },
  envelope_without_image: {
    status: 400,
    title: 'No image in the envelope',
    advice: 'Put the image, base64, into `base64_data`, `b64_json`, `image_data` or `data`.',
  },
  base64_invalid: {
    status: 400,
    title: 'Base64 not valid',
    advice: 'Send standard or URL-safe base64; white space is ignored, anything else is not.',
  },
  data_url_invalid: {
    status: 400,
    title: 'Data URL not valid',
    advice: 'Send `data:image/png;base64,…`.',
  },
  event_invalid: {
    status: 400,
    title: 'Event name or meta not valid',
    advice: 'A name is 1 to 64 of A-Z a-z 0-9 . _ : - and meta is a JSON object of at most 4096 bytes.',
  },
  topic_invalid: {
    status: 400,
    title: 'Topic not valid',
    advice:
      'A topic is 1 to 640 characters without control characters; `*` only at the end, and only to follow.',
  },
  cursor_invalid: {
    status: 400,
    title: 'Cursor not valid',
    advice: 'A cursor is what an event carried as its id: `milliseconds-sequence`.',
  },
  message_invalid: {
    status: 400,
    title: 'Message not valid',
    advice: 'Send JSON with `type` subscribe, unsubscribe or ping.',
  },
  token_missing: {
    status: 401,
    title: 'Token missing or wrong',
    advice: 'Send `Authorization: Bearer <token>` with a token of this server.',
  },
  origin_forbidden: {
    status: 403,
    title: 'Cross-site write refused',
    advice: 'A page of another origin may write only if CORS_ORIGINS names that origin.',
  },
  signature_invalid: {
    status: 403,
    title: 'Signature missing, wrong or expired',
    advice: 'Sign path and query with `afterimage sign`; a changed or expired address is refused.',
  },
  topic_forbidden: {
    status: 403,
    title: 'Topic not granted',
    advice: 'The token does not name this topic.',
  },
  image_not_found: {
    status: 404,
    title: 'No such image',
    advice: 'Neither a tier nor the origin has an image of this id.',
  },
  key_not_found: {
    status: 404,
    title: 'No such key',
    advice: 'Nothing is cached under this key, or it has expired.',
  },
  route_not_found: {
    status: 404,
    title: 'No such address',
    advice: 'See docs/protocol.md for the calls.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed here',
    advice: 'The Allow header names the methods of this address.',
  },
  upgrade_required: {
    status: 426,
    title: 'WebSocket expected',
    advice: 'Ask for this address with a WebSocket client, or follow /events.',
  },
  request_aborted: {
    status: 408,
    title: 'Request ended early',
    advice: 'The body stopped before its end.',
    retryAfterS: 1,
  },
  rate_limited: {
    status: 429,
    title: 'Too much from one address',
    advice:
      'Ask again after Retry-After, less often or fewer at a time; RateLimit-Policy says how much one may.',
    retryAfterS: 1,
  },
  stream_invalid: {
    status: 422,
    title: 'Stream not understood',
    advice: 'Send the event stream of the OpenAI Images or Responses API as it comes.',
  },
  stream_failed: {
    status: 422,
    title: 'Stream ended without an image',
    advice: 'The producer reported an error, or its stream ended before a final image.',
  },
  image_too_large: {
    status: 413,
    title: 'Body too large',
    advice: 'The limit is MAX_IMAGE_MB.',
  },
  image_too_many_pixels: {
    status: 422,
    title: 'Too many pixels',
    advice: 'Width x height x frames is limited by MAX_IMAGE_MEGAPIXELS.',
  },
  image_truncated: {
    status: 422,
    title: 'Image is cut off',
    advice: 'The bytes end before the image does: send it whole.',
  },
  image_unreadable: {
    status: 422,
    title: 'Image cannot be decoded',
    advice: 'The bytes start like an image but do not decode as one.',
  },
  not_an_image: {
    status: 415,
    title: 'Not an image',
    advice: 'The bytes are none of JPEG, PNG, WebP, AVIF, GIF, whatever the header says.',
  },
  svg_refused: {
    status: 415,
    title: 'SVG is refused',
    advice: 'SVG can carry script; render it to PNG or WebP first.',
  },
  content_type_unsupported: {
    status: 415,
    title: 'Content type not supported',
    advice: 'Send image/*, application/octet-stream, application/json or text/plain.',
  },
  range_not_satisfiable: {
    status: 416,
    title: 'Range not satisfiable',
    advice: 'The range starts beyond the end of the image.',
  },
  too_many_connections: {
    status: 503,
    title: 'Too many streams',
    advice: 'The limit of open event streams is reached; try again later.',
    retryAfterS: 5,
  },
  overloaded: {
    status: 503,
    title: 'Busy',
    advice: 'The work queue is full; try again after Retry-After.',
    retryAfterS: 1,
  },
  worker_timeout: {
    status: 503,
    title: 'Work took too long',
    advice: 'The image could not be processed within its deadline.',
    retryAfterS: 5,
  },
  worker_crashed: {
    status: 503,
    title: 'Work was interrupted',
    advice: 'The worker that processed this image ended; others are not affected.',
    retryAfterS: 1,
  },
  storage_unavailable: {
    status: 503,
    title: 'Storage not available',
    advice: 'No tier could keep it, and nothing was accepted; or the tier that may have it does not answer.',
    retryAfterS: 5,
  },
  body_vanished: {
    status: 503,
    title: 'Bytes went away',
    advice: 'The kept copy was removed or replaced while it was read; ask again.',
    retryAfterS: 1,
  },
  shutting_down: {
    status: 503,
    title: 'Server is stopping',
    advice: 'Connect again: another instance, or this one, will answer.',
    retryAfterS: 1,
  },
  not_ready: {
    status: 503,
    title: 'Not ready',
    advice: 'A part that this server needs is not ready yet.',
    retryAfterS: 1,
  },
  origin_failed: {
    status: 502,
    title: 'Origin failed',
    advice: 'The origin answered with an error and nothing stale could be served.',
  },
  origin_timeout: {
    status: 504,
    title: 'Origin too slow',
    advice: 'The origin did not answer within its deadline and nothing stale could be served.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    advice: 'Something went wrong here; the log has the reason under the request id.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** The only error that parts of this server throw on purpose. `detail` may be shown to anyone. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail?: string, cause?: unknown) {
    super(`${code}: ${detail ?? ERROR_TABLE[code].advice}`, cause === undefined ? undefined : { cause });
    this.name = 'AppError';
    this.code = code;
    this.detail = detail ?? ERROR_TABLE[code].advice;
  }
}

/** The table's row of a code, with every column present. */
export function errorRow(code: ErrorCode): ErrorRow {
  return ERROR_TABLE[code];
}

/** A tier did not do what it is there for. Any other AppError, as of busy workers, says nothing about the tier. */
export function isTierFailure(thrown: unknown): boolean {
  return !(thrown instanceof AppError) || thrown.code === 'storage_unavailable';
}

/** Anything thrown, as an AppError: what is not one of ours becomes `internal` and keeps its cause for the log. */
export function toAppError(thrown: unknown): AppError {
  return thrown instanceof AppError ? thrown : new AppError('internal', undefined, thrown);
}
