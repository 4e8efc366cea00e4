/**
 * IP addresses as numbers, so that one written in two ways is one, and blocks of them. IPv4 is held as
 * IPv6 does (::ffff:a.b.c.d, RFC 4291 2.5.5.2). Pure.
 */

/** Eight groups of sixteen bits. */
export type IpAddress = readonly number[];

export interface IpBlock {
  readonly address: IpAddress;
  /** Of its 128, how many an address must share. */
  readonly bits: number;
}

const GROUPS = 8;
const GROUP_BITS = 16;
const V4_PREFIX: IpAddress = [0, 0, 0, 0, 0, 0xffff];
const V4_PREFIX_BITS = 96;

function parseV4(text: string): IpAddress | undefined {
  const [, ...texts] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text) ?? [];
  const [a = -1, b = -1, c = -1, d = -1] = texts.map(Number);
  if (a < 0 || Math.max(a, b, c, d) > 255) return undefined;
  return [a * 256 + b, c * 256 + d];
}

/** Of one side of `::`. */
function parseGroups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const v4 = parseV4(parts.at(-1) ?? '');
  if (v4 !== undefined) parts.pop();
  if (!parts.every((part) => /^[\da-f]{1,4}$/i.test(part))) return undefined;
  return [...parts.map((part) => Number.parseInt(part, 16)), ...(v4 ?? [])];
}

function parseV6(text: string): IpAddress | undefined {
  const [head = '', tail, ...more] = text.split('::');
  const left = parseGroups(head);
  const right = tail === undefined ? [] : parseGroups(tail);
  if (left === undefined || right === undefined || more.length > 0) return undefined;
  const missing = GROUPS - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...left, ...Array.from({ length: missing }, () => 0), ...right];
}

export function parseIpAddress(text: string): IpAddress | undefined {
  const v4 = parseV4(text);
  return v4 === undefined ? parseV6(text) : [...V4_PREFIX, ...v4];
}

/** An address, or one with the length of a prefix: `10.0.0.0/8`. */
export function parseIpBlock(text: string): IpBlock | undefined {
  const [, base = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseIpAddress(base);
  if (address === undefined) return undefined;
  const before = base.includes(':') ? 0 : V4_PREFIX_BITS;
  const bits = length === undefined ? GROUPS * GROUP_BITS : before + Number(length);
  return bits > GROUPS * GROUP_BITS ? undefined : { address, bits };
}

export function isInIpBlock(address: IpAddress, block: IpBlock): boolean {
  return address.every((group, at) => {
    const shared = Math.min(GROUP_BITS, Math.max(0, block.bits - at * GROUP_BITS));
    const shift = GROUP_BITS - shared;
    return group >> shift === (block.address[at] ?? 0) >> shift;
  });
}
