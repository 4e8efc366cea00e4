/**
 * `text/event-stream`, taken apart as the HTML standard says, in whatever pieces it comes. The browser's
 * own EventSource hides comments, statuses and every event name that it was not told of.
 */

export interface SseHandlers {
  /** A whole event; `id` is the last id seen, as the standard has it. */
  onEvent(name: string, id: string, data: string): void;
  /** A block that only moved the id. */
  onId(id: string): void;
  onRetry(ms: number): void;
}

export function createSseParser(on: SseHandlers): (text: string) => void {
  let rest = '';
  let searched = 0;
  let name = '';
  let data: string[] = [];
  let id = '';
  let idMoved = false;

  function endBlock(): void {
    if (data.length > 0) on.onEvent(name || 'message', id, data.join('\n'));
    else if (idMoved) on.onId(id);
    name = '';
    data = [];
    idMoved = false;
  }

  function line(text: string): void {
    if (text === '') return endBlock();
    const colon = text.indexOf(':');
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') name = value;
    else if (field === 'retry' && /^\d+$/.test(value)) on.onRetry(Number(value));
    else if (field === 'id' && !value.includes('\0')) {
      idMoved = value !== id;
      id = value;
    }
  }

  return (text) => {
    rest += text;
    let from = 0;
    // Only what is new is searched: an inline image may come in a hundred pieces.
    for (let end = rest.indexOf('\n', searched); end !== -1; end = rest.indexOf('\n', from)) {
      line(rest.slice(from, rest[end - 1] === '\r' ? end - 1 : end));
      from = end + 1;
    }
    rest = rest.slice(from);
    searched = rest.length;
  };
}
