/**
 * Reads an event stream that was cut anywhere, at any byte (WHATWG HTML 9.2.6). Pure: bytes in, events
 * out. An event is at most `limitChars` long, so a producer can't make this grow.
 */
import { AppError } from '../errors.ts';

export interface StreamedEvent {
  /** '' when the producer named none. */
  readonly name: string;
  readonly data: string;
}

export interface SseParser {
  /** The events that these bytes complete. AppError stream_invalid when one is over the limit. */
  push(bytes: Uint8Array): StreamedEvent[];
}

export function createSseParser(limitChars: number): SseParser {
  const decoder = new TextDecoder();
  /** Pieces of a line whose end has not come: joined once, so that a megabyte in crumbs costs no more. */
  let pieces: string[] = [];
  /** Of the event that has not ended, its open line included. */
  let chars = 0;
  let name = '';
  let data: string[] = [];
  let lastWasCr = false;

  const takeLine = (line: string): StreamedEvent | undefined => {
    if (line !== '') {
      const colon = line.indexOf(':');
      const field = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
      if (field === 'event') name = value;
      else if (field === 'data') data.push(value);
      return undefined;
    }
    const event = data.length === 0 ? undefined : { name, data: data.join('\n') };
    name = '';
    data = [];
    chars = 0;
    return event;
  };

  const addPiece = (piece: string): void => {
    pieces.push(piece);
    chars += piece.length;
    if (chars > limitChars) {
      throw new AppError('stream_invalid', `An event of the stream is over ${limitChars} characters.`);
    }
  };

  return {
    push(bytes) {
      const events: StreamedEvent[] = [];
      let text = decoder.decode(bytes, { stream: true });
      // A CR LF may be cut in the middle: the LF then ends nothing.
      if (lastWasCr && text.startsWith('\n')) text = text.slice(1);
      if (text !== '') lastWasCr = text.endsWith('\r');
      const lines = text.split(/\r\n|\n|\r/);
      const rest = lines.pop() ?? '';
      for (const line of lines) {
        addPiece(line);
        const event = takeLine(pieces.join(''));
        if (event !== undefined) events.push(event);
        pieces = [];
      }
      addPiece(rest);
      return events;
    },
  };
}
