/** 304 to a client that has the image, and 206 to one that seeks in it. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { interleave } from '../interleave.ts';
import { makePng } from '../make-png.ts';
import type { Peer } from '../peers/peer.ts';
import { withPeers, type PeerName } from '../peers/with-peers.ts';
import type { Bench, Outcome, Scenario } from '../scenario.ts';

const CONNECTIONS = 64;
const DEADLINE_MS = 5000;
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

/** Not with fetch, which adds `cache-control: no-cache` to a condition, and some then send all again. */
async function assertStatus(url: string, header: string, status: number): Promise<void> {
  const [name = '', ...value] = header.split(': ');
  const asked = request(url, { headers: { [name]: value.join(': ') }, timeout: DEADLINE_MS }).end();
  // It gives what the event's listener gets: one IncomingMessage.
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== status) {
    throw new Error(`${url} with ${header}: ${response.statusCode ?? 0}, not ${status}`);
  }
}

async function run(bench: Bench): Promise<Outcome> {
  const images = new Map([
    [SMALL, makePng(64 * 1024)],
    [LARGE, makePng(2048 * 1024)],
  ]);
  // A short run leaves out what no figure needs.
  const isQuick = bench.effort.name === 'quick';
  const names: readonly PeerName[] = [
    'afterimage',
    'nginx',
    ...(!isQuick ? (['varnish', 'fastify', 'bare-uws'] as const) : []),
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
              bench.load(url, { connections: CONNECTIONS, seconds, headers: [header] });
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
    const rows = [await interleave({ ...kind, label: '304' }, unchanged, bench)];
    if (!isQuick) {
      rows.push(await interleave({ ...kind, label: 'Range, 64 KB of 2 MB' }, pieces, bench));
    }
    return {
      rows,
      targets: [
        { figure: '304 against nginx', row: '304', subject: 'Afterimage', peer: 'nginx', atLeast: 1.2 },
      ],
      notes: [
        `${CONNECTIONS} connections; If-None-Match with each peer's own ETag, checked to give 304; ${RANGE}`,
        ...peers.map((peer) => `${peer.name}: ${peer.settings}`),
      ],
      missing,
    };
  });
}

export const conditional: Scenario = {
  name: 'conditional',
  takesS: { quick: 7, full: 55 },
  question: 'What does it cost to say "you have it" or to send a piece?',
  run,
};
