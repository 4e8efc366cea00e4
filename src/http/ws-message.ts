/** What a page may say over the WebSocket, and the answers. docs/protocol.md 2.6 */
import { z } from 'zod';
import { isCursor } from '../core/cursor.ts';
import { TOPIC_CHARS_MAX } from '../core/limits.ts';
import { AppError } from '../errors.ts';
import type { Frame } from '../events/sink.ts';

const topics = z.array(z.string().max(TOPIC_CHARS_MAX)).min(1).max(1000);

const MESSAGE = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('subscribe'), topics, since: z.string().refine(isCursor).optional() }),
  z.strictObject({ type: z.literal('unsubscribe'), topics }),
  z.strictObject({ type: z.literal('ping') }),
]);

export type WsMessage = z.infer<typeof MESSAGE>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError('message_invalid');
  }
}

/** AppError message_invalid. */
export function readWsMessage(text: string): WsMessage {
  const parsed = MESSAGE.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError('message_invalid', `Not a message of this server: ${issue?.path.join('.') || 'type'}.`);
}

export function answerFrame(answer: { readonly type: string } & Readonly<Record<string, unknown>>): Frame {
  return { bytes: Buffer.from(JSON.stringify(answer)), binary: false, kind: 'control', imageId: '' };
}
