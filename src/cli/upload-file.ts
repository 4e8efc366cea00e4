/** One file to the server: read, PUT, and again where the server is only busy. Knows no terminal. */
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { whyFailed } from './why-failed.ts';
import { withDeadline } from './with-deadline.ts';

/** No MAX_IMAGE_MB can be larger: what is over it is not worth reading. */
const FILE_BYTES_MAX = 1024 * 1024 * 1024;
const ATTEMPTS_MAX = 6;
const RETRY_AFTER_S_MAX = 30;

const receiptSchema = z.object({
  id: z.string(),
  version: z.string(),
  bytes: z.number(),
  mime: z.string(),
  width: z.number(),
  height: z.number(),
  url: z.string(),
});
const problemSchema = z.object({ code: z.string(), detail: z.string() });

export type UploadReceipt = z.infer<typeof receiptSchema>;

export interface UploadRequest {
  readonly file: string;
  readonly address: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type UploadResult =
  | { readonly stored: true; readonly isNew: boolean; readonly receipt: UploadReceipt }
  | { readonly stored: false; readonly why: string };

async function readImage(file: string): Promise<Buffer<ArrayBuffer>> {
  const { size } = await stat(file);
  if (size > FILE_BYTES_MAX) throw new Error('larger than any image that a server takes');
  return readFile(file);
}

async function readAnswer(response: Response): Promise<UploadResult> {
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) {
    const receipt = receiptSchema.safeParse(body);
    if (receipt.success) return { stored: true, isNew: response.status === 201, receipt: receipt.data };
    return { stored: false, why: `answered ${response.status}, but not as an Afterimage server does` };
  }
  const problem = problemSchema.safeParse(body);
  const said = problem.success ? `${problem.data.code}: ${problem.data.detail}` : `HTTP ${response.status}`;
  return { stored: false, why: said };
}

/** How long to wait before the next attempt; undefined when none would help. */
function retryAfterMs(response: Response): number | undefined {
  if (response.status !== 503) return undefined;
  const seconds = Number(response.headers.get('retry-after')) || 1;
  return Math.min(seconds, RETRY_AFTER_S_MAX) * 1000;
}

/** One attempt: the result, or how long to wait before the next. */
async function attempt(
  { address, headers }: UploadRequest,
  body: Buffer<ArrayBuffer>,
  signal: AbortSignal,
): Promise<{ readonly result: UploadResult; readonly waitMs: number | undefined }> {
  const response = await fetch(address, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/octet-stream', ...headers },
    body,
    signal,
  });
  return { result: await readAnswer(response), waitMs: retryAfterMs(response) };
}

export async function uploadFile(request: UploadRequest): Promise<UploadResult> {
  const { signal, timeoutMs } = request;
  try {
    const body = await readImage(request.file);
    for (let attempts = 1; ; attempts += 1) {
      const { result, waitMs } = await withDeadline(signal, timeoutMs, async (deadline) =>
        attempt(request, body, deadline),
      );
      if (waitMs === undefined || attempts === ATTEMPTS_MAX) return result;
      await sleep(waitMs, undefined, { signal });
    }
  } catch (error) {
    return { stored: false, why: whyFailed(error) };
  }
}
