/**
 * Takes the long text of the image out of a JSON envelope before the rest is parsed: JSON.parse looks at
 * each character of a mebibyte of base64, at ten times the cost of decoding it. Gives an answer only
 * where parsing all of it would give the same.
 */
import { randomBytes } from 'node:crypto';
import { isObject, parseModestJson } from './json.ts';

export interface Lifted {
  /** The envelope as parsed; where the image was is a text that says nothing. */
  readonly around: Record<string, unknown>;
  /** Its text, as it lies there. */
  readonly image: Buffer;
}

/** Producers write little before the image, and most nothing. */
const SEARCHED_BYTES = 4096;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Nobody can write it into an envelope: it is another one in each process. */
const PLACEHOLDER = randomBytes(16).toString('hex');

/** The head of a data URL; what follows it is base64 or refused. */
const UNCHECKED_CHARS = 512;
/** What JSON does not allow between quotes, or what is not one byte in UTF-8. */
const NO_JSON = /[^\u0020-\u007e]/;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** `select` finds the image's text among the fields as it would in the whole; it may throw. */
export function liftImage(
  body: Uint8Array,
  field: RegExp,
  select: (fields: Record<string, unknown>) => string,
): Lifted | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const opening = field.exec(bytes.toString('latin1', 0, SEARCHED_BYTES));
  if (opening === null) return undefined;
  const start = opening.index + opening[0].length;
  const end = bytes.indexOf(QUOTE, start);
  // An empty text is passed over for the next field; an escaped character stands for another.
  if (end <= start || bytes.subarray(start, end).includes(BACKSLASH)) return undefined;
  try {
    const rest = [bytes.subarray(0, start), Buffer.from(PLACEHOLDER), bytes.subarray(end)];
    const around: unknown = parseModestJson(utf8.decode(Buffer.concat(rest)));
    // Found in the place of a whole value, the placeholder stands for all between its quotes, and for nothing else.
    if (!isObject(around) || select(around) !== PLACEHOLDER) return undefined;
    const image = bytes.subarray(start, end);
    return NO_JSON.test(image.toString('latin1', 0, UNCHECKED_CHARS)) ? undefined : { around, image };
  } catch {
    return undefined;
  }
}
