/** `afterimage put`: hands files over, several at once, a line for each as it ends, then a summary. */
import { basename } from 'node:path';
import { checkImageId, imagePath } from '../core/image-id.ts';
import { byteSize, printable } from './printable.ts';
import { readArgs, wholeNumber } from './read-args.ts';
import { addressOn, bearer, serverUrl } from './server-url.ts';
import { UsageError, type Terminal } from './terminal.ts';
import { uploadFile, type UploadResult } from './upload-file.ts';

export const PUT_HELP = `afterimage put FILE… [--topic TOPIC]… [options]

Stores images and announces them. Each file's id is its name without its folder. Exit code 0 when
every file was stored, 1 when one was not.

  --topic TOPIC        topic to announce on, besides image:<id>; may be repeated
  --id ID              the image's id; for one file
  --prefix TEXT        put before each id, as in --prefix gallery/
  --ttl SECONDS        how long the image is kept; default: until it is evicted
  --token TOKEN        the server's WRITE_TOKEN; default AFTERIMAGE_TOKEN
  --concurrency N      files under way at once; default 4
  --timeout SECONDS    longest wait for one answer; default 60
  --json               a line of JSON for each stored image
  --url URL            the server; default AFTERIMAGE_URL, else http://HOST:PORT`;

const OPTIONS = {
  topic: { type: 'string', multiple: true },
  id: { type: 'string' },
  prefix: { type: 'string' },
  ttl: { type: 'string' },
  token: { type: 'string' },
  concurrency: { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  url: { type: 'string' },
} as const;

interface Item {
  readonly file: string;
  readonly id: string;
}

function checkedId(id: string, file: string): string {
  try {
    return checkImageId(id);
  } catch {
    throw new UsageError(`"${printable(id)}" cannot be the id of ${printable(file)}: give --id or rename it`);
  }
}

function itemsOf(files: readonly string[], id: string | undefined, prefix: string): readonly Item[] {
  if (files.length === 0) throw new UsageError('put needs at least one file');
  if (id !== undefined && files.length > 1) throw new UsageError('--id is for one file');
  const items = files.map((file) => ({ file, id: checkedId(`${prefix}${id ?? basename(file)}`, file) }));
  const byId = new Map<string, string>();
  for (const item of items) {
    const other = byId.get(item.id);
    if (other !== undefined) {
      throw new UsageError(`${other} and ${item.file} would both become the image "${item.id}"`);
    }
    byId.set(item.id, item.file);
  }
  return items;
}

/** Runs `work` over all items, at most `width` at a time; after an abort no new one starts. */
async function eachOf(
  items: readonly Item[],
  width: number,
  signal: AbortSignal,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (signal.aborted) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}

function describe(file: string, result: UploadResult): string {
  if (!result.stored) return `${printable(file)}: ${printable(result.why)}`;
  const { bytes, mime, width, height, url } = result.receipt;
  const verb = result.isNew ? 'stored' : 'replaced';
  return printable(`${file}: ${verb} ${byteSize(bytes)} ${mime} ${width}x${height} ${url}`);
}

export async function put(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArgs(args, OPTIONS, true);
  const items = itemsOf(positionals, values.id, values.prefix ?? '');
  const server = serverUrl(values.url, terminal.env);
  const query = new URLSearchParams();
  for (const topic of values.topic ?? []) query.append('topic', topic);
  if (values.ttl !== undefined) query.set('ttl', String(wholeNumber('ttl', values.ttl, [0, 1, 31_536_000])));
  const width = wholeNumber('concurrency', values.concurrency, [4, 1, 64]);
  const timeoutMs = wholeNumber('timeout', values.timeout, [60, 1, 3600]) * 1000;
  const headers = bearer(values.token ?? terminal.env['AFTERIMAGE_TOKEN']);

  let ended = 0;
  let stored = 0;
  let bytes = 0;
  const startedMs = performance.now();
  await eachOf(items, width, terminal.signal, async ({ file, id }) => {
    const address = addressOn(server, `${imagePath(id)}?${query}`);
    const result = await uploadFile({ file, address, headers, timeoutMs, signal: terminal.signal });
    ended += 1;
    const count = items.length > 1 ? `[${ended}/${items.length}] ` : '';
    if (!result.stored) return terminal.err(`${count}${describe(file, result)}`);
    stored += 1;
    bytes += result.receipt.bytes;
    terminal.out(values.json ? JSON.stringify(result.receipt) : `${count}${describe(file, result)}`);
  });
  if (items.length > 1) {
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    terminal.err(`${stored} of ${items.length} stored, ${byteSize(bytes)} in ${seconds} s`);
  }
  return stored === items.length ? 0 : 1;
}
