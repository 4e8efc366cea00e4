/** The same events over a WebSocket: for proxies that hold back event streams, and images without base64. */
import { endOnce, type OpenLink } from './link.ts';
import { closing, readJson } from './open-sse.ts';

interface Message {
  readonly event?: string;
  readonly cursor?: string;
  readonly data?: unknown;
}

/** Codes from here on say that the same request would be refused again. */
const FINAL_CODE = 3500;

/** `[u32 BE length of JSON][JSON][image bytes]` */
function readBinary(frame: ArrayBuffer): Message {
  const length = new DataView(frame).getUint32(0);
  const message = readJson(new TextDecoder().decode(new Uint8Array(frame, 4, length))) as Message;
  const data = message.data as { readonly mime?: string };
  return { ...message, data: { ...data, image_blob: new Blob([frame.slice(4 + length)]) } };
}

export const openWebSocket: OpenLink = (address, on) => {
  const target = new URL(address);
  target.protocol = address.protocol.replace('http', 'ws');
  const socket = new WebSocket(target);
  socket.binaryType = 'arraybuffer';
  const [link, finish] = endOnce(() => socket.close(), on.onEnd);

  function receive(frame: string | ArrayBuffer): void {
    const message = typeof frame === 'string' ? (readJson(frame) as Message) : readBinary(frame);
    const { event = '', cursor = '', data } = message;
    if (event === 'close') finish(closing(data));
    else if (event !== '') on.onEvent(event, cursor, data);
    else if (cursor !== '') on.onCursor(cursor);
  }

  socket.addEventListener('open', () => on.onOpen());
  socket.addEventListener('message', ({ data }) => {
    on.onAlive();
    receive(data);
  });
  socket.addEventListener('close', ({ code, reason }) =>
    finish({ reason: reason || 'network', retry: code < FINAL_CODE }),
  );
  return link;
};
