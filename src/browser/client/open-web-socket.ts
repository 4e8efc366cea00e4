/** The same events over a WebSocket, for pages behind proxies that hold back event streams. */
import { endOnce, type OpenLink } from './link.ts';
import { closing, readJson } from './open-sse.ts';

interface Message {
  readonly type?: string;
  readonly event?: string;
  readonly cursor?: string;
  readonly data?: unknown;
}

export const openWebSocket: OpenLink = (address, on) => {
  const target = new URL(address);
  target.protocol = address.protocol.replace('http', 'ws');
  const socket = new WebSocket(target);
  const [link, finish] = endOnce(() => socket.close(), on.onEnd);
  socket.addEventListener('open', () => on.onOpen());
  socket.addEventListener('message', ({ data: text }) => {
    on.onAlive();
    const { event = '', cursor = '', data } = readJson(String(text)) as Message;
    if (event === 'close') finish(closing(data));
    else if (event !== '') on.onEvent(event, cursor, data);
    else if (cursor !== '') on.onCursor(cursor);
  });
  // 4500 and above: refused for good, see docs/protocol.md.
  socket.addEventListener('close', ({ code, reason }) =>
    finish({ reason: reason || 'network', retry: code < 4500 }),
  );
  return link;
};
