/**
 * Who counts as one client: an IPv4 address, or the /64 of an IPv6 one, of which a single subscriber has
 * all addresses. What a proxy says of its own client is believed where the proxy is listed. Pure.
 */
import { isInIpBlock, parseIpAddress, parseIpBlock, type IpAddress, type IpBlock } from './ip-address.ts';

/** `peer`: who connected; `forwardedFor`: the header X-Forwarded-For, '' without one. */
export type ClientOf = (peer: string, forwardedFor: string) => string;

const V4_AT = 6;
/** Groups of a /64. */
const NETWORK_GROUPS = 4;

function isV4(address: IpAddress): boolean {
  return address[V4_AT - 1] === 0xffff && address.slice(0, V4_AT - 1).every((group) => group === 0);
}

function nameOf(address: IpAddress): string {
  if (!isV4(address)) {
    const network = address.slice(0, NETWORK_GROUPS).map((group) => group.toString(16));
    return `${network.join(':')}::/64`;
  }
  return address
    .slice(V4_AT)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function parseHop(text: string): IpAddress | undefined {
  const bare = text.trim().replace(/^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2');
  return parseIpAddress(bare);
}

/** Every trusted proxy adds whom it heard at the end; further left stands what clients made up (CWE-348). */
function hopOf(peer: IpAddress, forwardedFor: string, trusted: readonly IpBlock[]): IpAddress {
  const hops = forwardedFor === '' ? [] : forwardedFor.split(',');
  let client = peer;
  while (trusted.some((block) => isInIpBlock(client, block))) {
    const next = parseHop(hops.pop() ?? '');
    if (next === undefined) break;
    client = next;
  }
  return client;
}

/** `trustedProxies`: addresses and blocks, checked already. */
export function createClientOf(trustedProxies: readonly string[]): ClientOf {
  const trusted = trustedProxies.map(parseIpBlock).filter((block) => block !== undefined);
  return (peer, forwardedFor) => {
    const address = parseIpAddress(peer);
    return address === undefined ? peer : nameOf(hopOf(address, forwardedFor, trusted));
  };
}
