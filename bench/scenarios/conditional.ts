/** 304 to a client that has the image, and 206 to one that seeks in it. */
import { interleave } from '../interleave.ts';
import { wrk } from '../load/wrk.ts';
import { makePng } from '../make-png.ts';
import type { Peer } from '../peers/peer.ts';
import { withPeers, type PeerName } from '../peers/with-peers.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';

const CONNECTIONS = 64;
const SMALL = 'small.png';
const LARGE = 'large.png';
const RANGE = 'Range: bytes=1000000-1065535';

async function etagOf(peer: Peer): Promise<string> {
  const response = await fetch(peer.url(SMALL));
  await response.arrayBuffer();
  return response.headers.get('etag') ?? '';
}

/** nginx seeks best at an address with settings of its own. */
function seekUrl(peer: Peer): string {
  return peer.name === 'nginx' ? `${peer.base}/seek/${LARGE}` : peer.url(LARGE);
}

async function assertStatus(url: string, header: string, status: number): Promise<void> {
  const [name = '', ...value] = header.split(': ');
  const response = await fetch(url, { headers: { [name]: value.join(': ') } });
  await response.arrayBuffer();
  if (response.status !== status) throw new Error(`${url} with ${header}: ${response.status}, not ${status}`);
}

async function run(bench: Bench): Promise<Outcome> {
  const images = new Map([
    [SMALL, makePng(64 * 1024)],
    [LARGE, makePng(2048 * 1024)],
  ]);
  // A short run leaves out what no figure needs.
  const isFull = bench.effort.name === 'full';
  const names: readonly PeerName[] = [
    'afterimage',
    'nginx',
    ...(isFull ? ['varnish' as const] : []),
    'bare-uws',
  ];
  return withPeers(names, images, bench, async ({ peers, missing }) => {
    const subjectsOf = async (
      urlOf: (peer: Peer) => string,
      status: number,
      headerOf: (peer: Peer) => Promise<string>,
    ) =>
      Promise.all(
        peers
          .filter(({ name }) => status === 304 || name !== 'bare uWS')
          .map(async (peer) => {
            const [url, header] = [urlOf(peer), await headerOf(peer)];
            await assertStatus(url, header, status);
            const measure = async (seconds: number) =>
              wrk(url, { connections: CONNECTIONS, seconds, headers: [header] }, bench.machine);
            return { name: peer.name, pids: [peer.pid], measure };
          }),
      );
    const unchanged = await subjectsOf(
      (peer) => peer.url(SMALL),
      304,
      async (peer) => `If-None-Match: ${await etagOf(peer)}`,
    );
    const pieces = await subjectsOf(seekUrl, 206, async () => RANGE);
    const kind = { unit: 'requests/s', better: 'more' } as const;
    const rows = [
      await interleave({ ...kind, label: '304' }, unchanged, bench),
      await interleave({ ...kind, label: 'Range, 64 KB of 2 MB' }, pieces, bench),
    ];
    return {
      rows,
      targets: [
        { figure: '304 against nginx', row: '304', subject: 'Afterimage', peer: 'nginx', atLeast: 1.2 },
      ],
      notes: [
        `wrk, ${CONNECTIONS} connections; If-None-Match with each peer's own ETag, checked to give 304; ${RANGE}`,
        ...peers.map((peer) => `${peer.name}: ${peer.settings}`),
      ],
      missing,
    };
  });
}

export const conditional: Scenario = {
  name: 'conditional',
  question: 'What does it cost to say "you have it" or to send a piece?',
  run,
};
