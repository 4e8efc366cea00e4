/**
 * JSON values as types, for what producers send along with an image, and the one way to parse what a
 * stranger sent: three bytes of JSON (`{},`) become fifty on the heap, and a heap that is exhausted
 * within JSON.parse ends the whole process, whatever limit its thread has (Node 20).
 */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Objects, lists and their elements. An envelope has dozens. */
const PARTS_MAX = 100_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const OPENING_BRACE = 0x7b;

/** After the quote that ends the string which begins at `start`; the text's end where none does. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let escapes = 0;
    while (text.charCodeAt(quote - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
  }
  return text.length;
}

function hasTooManyParts(text: string): boolean {
  if (text.length <= PARTS_MAX) return false;
  let parts = 0;
  for (let at = 0; at < text.length && parts <= PARTS_MAX;) {
    const char = text.charCodeAt(at);
    if (char === COMMA || char === OPENING_BRACKET || char === OPENING_BRACE) parts += 1;
    // An image is one long string, which is passed over at once.
    at = char === QUOTE ? endOfString(text, at) : at + 1;
  }
  return parts > PARTS_MAX;
}

/** JSON.parse; also throws where there is more in it than anybody means. */
export function parseModestJson(text: string): unknown {
  if (hasTooManyParts(text)) throw new SyntaxError(`more than ${PARTS_MAX} values`);
  return JSON.parse(text);
}
