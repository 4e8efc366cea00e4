/** Hard caps that are not open to configuration: each one bounds something that a stranger controls. */

export const IMAGE_ID_CHARS_MAX = 512;
export const CACHE_KEY_CHARS_MAX = 1024;
export const TOPIC_CHARS_MAX = 640;
export const TOPICS_PER_IMAGE_MAX = 16;
export const EVENT_NAME_CHARS_MAX = 64;
export const META_BYTES_MAX = 4096;
/** A year, the longest that RFC 9111 caches are expected to honour. */
export const TTL_S_MAX = 31_536_000;
/** Less would have run out before the image is kept. */
export const TTL_S_MIN = 0.1;
export const PARTIAL_INDEX_MAX = 999;
