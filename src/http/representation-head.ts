/**
 * The header block of a stored representation, rendered as one text: eleven single header writes cost
 * a quarter of the throughput at 4 KB, one costs next to nothing (bench/micro). Only values made by this
 * server enter it, never one that a client sent (header injection, CWE-113).
 */
import type { TierStep } from '../cache/lookup.ts';
import type { Entry } from '../core/entry.ts';

export interface HeadSettings {
  readonly maxAgeS: number;
  /** False: `no-store`, for CACHE_ENABLED=false. */
  readonly cacheEnabled: boolean;
  /** `*` when any origin may read; otherwise '' and the origin is echoed outside the block. */
  readonly allowOrigin: '*' | '';
}

export interface HeadKind {
  /** The URL names the current version. */
  readonly immutable: boolean;
  /** The format was chosen by the Accept header. */
  readonly varyAccept: boolean;
  /** For a 304: without what describes the body. */
  readonly bodiless: boolean;
}

/** The block is the value of this header; the rest follows in it, line by line. */
export const FIRST_HEADER = 'ETag';

/** What disarms a document that a browser was talked into opening from here (CVE-2023-1496 and kin). */
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";
const EXPOSED = 'ETag, Content-Range, Cache-Status, Repr-Digest, Server-Timing, Age';

export function etagOf(entry: Entry): string {
  return `"${entry.version}"`;
}

/** RFC 9211: members in the order of the flow from origin to client, so the tier asked last comes first. */
export function cacheStatus(steps: readonly TierStep[]): string {
  return steps.map(cacheStatusMember).toReversed().join(', ');
}

function cacheStatusMember(step: TierStep): string {
  const notes = `${step.stored === true ? '; stored' : ''}${step.collapsed === true ? '; collapsed' : ''}`;
  if (step.outcome === 'hit') return `${step.tier}; hit${notes}`;
  if (step.outcome === 'stale') return `${step.tier}; hit; detail=stale${notes}`;
  return `${step.tier}; fwd=uri-miss${step.outcome === 'error' ? '; detail=unavailable' : ''}${notes}`;
}

function cacheControl(entry: Entry, immutable: boolean, settings: HeadSettings, nowMs: number): string {
  if (!settings.cacheEnabled) return 'no-store';
  if (immutable) return 'public, max-age=31536000, immutable';
  const leftS = entry.expiresAtMs === 0 ? settings.maxAgeS : Math.floor((entry.expiresAtMs - nowMs) / 1000);
  return `public, max-age=${Math.max(0, Math.min(settings.maxAgeS, leftS))}`;
}

function varyLine(kind: HeadKind, settings: HeadSettings): string {
  const names = [kind.varyAccept ? 'Accept' : '', settings.allowOrigin === '' ? 'Origin' : ''];
  const vary = names.filter((name) => name !== '').join(', ');
  return vary === '' ? '' : `\r\nVary: ${vary}`;
}

/** Bytes that pass through for the first time have a name, but no digest yet. */
function digestLine(entry: Entry): string {
  if (entry.undigested === true) return '';
  return `\r\nRepr-Digest: sha-256=:${Buffer.from(entry.version, 'hex').toString('base64')}:`;
}

/** The value to give to FIRST_HEADER: everything of a 200, 206 or 304 but what the request decides. */
export function renderHead(
  entry: Entry,
  kind: HeadKind,
  status: string,
  timing: string,
  settings: HeadSettings,
  nowMs: number,
): string {
  const describesBody = kind.bodiless
    ? ''
    : `\r\nContent-Type: ${entry.mime}` +
      `\r\nAccept-Ranges: bytes` +
      digestLine(entry) +
      `\r\nX-Content-Type-Options: nosniff` +
      `\r\nContent-Security-Policy: ${CONTENT_SECURITY_POLICY}`;
  const cors =
    settings.allowOrigin === ''
      ? ''
      : `\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: ${EXPOSED}\r\nTiming-Allow-Origin: *`;
  return (
    etagOf(entry) +
    `\r\nLast-Modified: ${new Date(entry.storedAtMs).toUTCString()}` +
    `\r\nCache-Control: ${cacheControl(entry, kind.immutable, settings, nowMs)}` +
    `\r\nCache-Status: ${status}` +
    `\r\nServer-Timing: ${timing}` +
    varyLine(kind, settings) +
    cors +
    describesBody
  );
}
