/** An event as one line for people. Knows no connection. */
import { z } from 'zod';
import { byteSize, printable } from './printable.ts';

const dataSchema = z.object({
  id: z.string().optional(),
  mime: z.string().optional(),
  bytes: z.number().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  full: z.string().optional(),
  thumbnail: z.string().optional(),
  image_data: z.string().optional(),
  partial_index: z.number().optional(),
  reason: z.string().optional(),
});

/** Bytes that a `data:…;base64,` URL holds. */
function dataUrlBytes(url: string): number {
  const base64 = url.slice(url.indexOf(',') + 1).replace(/=+$/, '');
  return Math.floor((base64.length * 3) / 4);
}

function timeOf(cursor: string): string {
  const ms = Number(cursor.split('-')[0]);
  return Number.isSafeInteger(ms) && ms > 0 ? new Date(ms).toTimeString().slice(0, 8) : '--:--:--';
}

export function describeEvent(name: string, cursor: string, data: unknown): string {
  const parsed = dataSchema.safeParse(data);
  const event = parsed.success ? parsed.data : {};
  const words = [timeOf(cursor), name, event.id ?? ''];
  if (event.partial_index !== undefined) words.push(`partial ${event.partial_index}`);
  if (event.bytes !== undefined) words.push(byteSize(event.bytes));
  if (event.mime !== undefined) words.push(event.mime);
  if (event.width !== undefined && event.height !== undefined) words.push(`${event.width}x${event.height}`);
  if (event.thumbnail !== undefined) words.push(`thumbnail ${byteSize(dataUrlBytes(event.thumbnail))}`);
  if (event.image_data !== undefined) words.push(`image_data ${byteSize(dataUrlBytes(event.image_data))}`);
  if (event.reason !== undefined) words.push(event.reason);
  if (event.full !== undefined) words.push(event.full);
  return printable(words.filter((word) => word !== '').join(' '));
}
