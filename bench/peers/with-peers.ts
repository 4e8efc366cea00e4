/** Starts peers in order, checks that all serve the same bytes, and stops every one that was started. */
import type { Bench } from '../scenario.ts';
import { startAfterimage } from './afterimage.ts';
import { startBareUws } from './bare-uws.ts';
import { startFastify } from './fastify.ts';
import { NGINX_MISSING, startNginx } from './nginx.ts';
import { missingPackage } from './packages.ts';
import type { Images, Peer } from './peer.ts';
import { startVarnish, VARNISH_MISSING } from './varnish.ts';

export type PeerName = 'afterimage' | 'nginx' | 'varnish' | 'fastify' | 'bare-uws';

export interface Started {
  readonly peers: readonly Peer[];
  readonly missing: readonly string[];
}

async function start(name: PeerName, images: Images, bench: Bench, known: readonly Peer[]) {
  const { dir, machine } = bench;
  if (name === 'afterimage') return startAfterimage(dir, images, machine);
  if (name === 'bare-uws') return startBareUws(dir, images, machine);
  if (name === 'nginx') return (await startNginx(dir, images, machine)) ?? NGINX_MISSING;
  if (name === 'fastify') {
    return (await startFastify(images, bench)) ?? missingPackage('Fastify with @fastify/static');
  }
  const origin = known[0];
  if (origin === undefined) throw new Error('Varnish needs a peer before it to fill from');
  return (await startVarnish(dir, images, origin, machine)) ?? VARNISH_MISSING;
}

/** A peer that answers quickly with something else would win every comparison. */
async function assertServes(peer: Peer, images: Images): Promise<void> {
  for (const [name, bytes] of images) {
    const response = await fetch(peer.url(name));
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200 || !body.equals(bytes)) {
      throw new Error(`${peer.name} does not serve ${name}: ${response.status}, ${body.length} bytes`);
    }
  }
}

export async function withPeers<T>(
  names: readonly PeerName[],
  images: Images,
  bench: Bench,
  work: (started: Started) => Promise<T>,
): Promise<T> {
  const peers: Peer[] = [];
  const missing: string[] = [];
  try {
    for (const name of names) {
      bench.say(`starting ${name}`);
      const peer = await start(name, images, bench, peers);
      if (typeof peer === 'string') missing.push(peer);
      else peers.push(peer);
    }
    for (const peer of peers) await assertServes(peer, images);
    return await work({ peers, missing });
  } finally {
    for (const peer of peers.toReversed()) await peer.stop();
  }
}
