/**
 * Reads one file of the disk tier and says whether it may be believed. It decides nothing: what is torn
 * or gone is the tier's to clean up.
 */
import { open, type FileHandle } from 'node:fs/promises';
import type { Entry, Stored } from '../core/entry.ts';
import { createDiskBody, readPieces } from './disk-body.ts';
import { decodeHead, readFully, readHead, type DiskHead } from './disk-file.ts';
import { closeFile, openFile, readInto } from './file-calls.ts';
import { matchesDigest } from './verify-digest.ts';

/** What the index says of a file: saves asking the file. */
export interface KnownFile {
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** Written or checked by this run: its digest need not be computed again. */
  readonly verified: boolean;
}

export type ReadOutcome =
  | { readonly kind: 'found'; readonly stored: Stored; readonly headBytes: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'torn' };

const TORN: ReadOutcome = { kind: 'torn' };
const ABSENT: ReadOutcome = { kind: 'absent' };

/** Throws what the filesystem throws, except that a file that is not there is `absent`. */
export async function readStored(
  path: string,
  key: string,
  known: KnownFile | undefined,
  wholeBytesMax: number,
  signal: AbortSignal,
): Promise<ReadOutcome> {
  if (known?.verified === true && known.bodyBytes <= wholeBytesMax) {
    const outcome = await readAsKnown(path, key, known);
    if (outcome !== undefined) return outcome;
  }
  const file = await unlessAbsent(open(path, 'r'));
  if (file === undefined) return ABSENT;
  try {
    return await readAndCheck(file, path, key, known, wholeBytesMax, signal);
  } finally {
    await file.close();
  }
}

/** One read call for head and body. Undefined: the file is not as the index says; look closer. */
async function readAsKnown(path: string, key: string, known: KnownFile): Promise<ReadOutcome | undefined> {
  const file = await unlessAbsent(openFile(path, 'r'));
  if (file === undefined) return ABSENT;
  try {
    return await readOpened(file, key, known);
  } finally {
    await closeFile(file);
  }
}

async function readOpened(file: number, key: string, known: KnownFile): Promise<ReadOutcome | undefined> {
  const head = Buffer.allocUnsafe(known.headBytes);
  const body = Buffer.allocUnsafeSlow(known.bodyBytes);
  // The byte beyond must not be there: it shows a file that is longer than it says.
  const beyond = Buffer.allocUnsafe(1);
  const bytesRead = await readInto(file, [head, body, beyond], 0);
  if (bytesRead !== head.byteLength + body.byteLength) return undefined;
  const decoded = decodeHead(head);
  if (decoded?.entry.key !== key || decoded.entry.bytes !== body.byteLength) return undefined;
  return found(decoded, new Uint8Array(body.buffer));
}

async function readAndCheck(
  file: FileHandle,
  path: string,
  key: string,
  known: KnownFile | undefined,
  wholeBytesMax: number,
  signal: AbortSignal,
): Promise<ReadOutcome> {
  const head = await readHead(file);
  if (head === undefined || head.entry.key !== key) return TORN;
  const { entry, headBytes } = head;
  if ((await file.stat()).size !== headBytes + entry.bytes) return TORN;
  if (entry.bytes <= wholeBytesMax) {
    const body = new Uint8Array(Buffer.allocUnsafeSlow(entry.bytes).buffer);
    if ((await readFully(file, body, headBytes)) < entry.bytes) return TORN;
    return (await isGenuine(entry, [body])) ? found(head, body) : TORN;
  }
  const isKnown = known?.verified === true && known.bodyBytes === entry.bytes;
  if (!isKnown && !(await isGenuine(entry, readPieces(file, headBytes, entry.bytes, signal)))) return TORN;
  return found(head, createDiskBody(path, entry));
}

async function isGenuine(
  entry: Entry,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<boolean> {
  return entry.undigested === true || matchesDigest(pieces, entry.version);
}

function found(head: DiskHead, body: Stored['body']): ReadOutcome {
  return { kind: 'found', stored: { entry: head.entry, body }, headBytes: head.headBytes };
}

async function unlessAbsent<T>(opening: Promise<T>): Promise<T | undefined> {
  try {
    return await opening;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Bytes, inodes or a quota: something that evicting files may give back. */
export function isNoSpace(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** The system's code of a filesystem error: ENOENT, ENOSPC. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
