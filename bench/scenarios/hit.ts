/** Images that are hot in memory, at four sizes: requests a second on one core. */
import { interleave } from '../interleave.ts';
import { makePng } from '../make-png.ts';
import { withPeers, type PeerName } from '../peers/with-peers.ts';
import type { Bench, Outcome, Row, Scenario, Target } from '../scenario.ts';

const KIB = 1024;
const SIZES: readonly (readonly [label: string, bytes: number])[] = [
  ['4 KB', 4 * KIB],
  ['64 KB', 64 * KIB],
  ['512 KB', 512 * KIB],
  ['2 MB', 2048 * KIB],
];
const CONNECTIONS = 64;
const MANY_CONNECTIONS = 1000;
const MANY = `4 KB, ${MANY_CONNECTIONS} connections`;

const least = (row: string, peer: string, atLeast: number): Target => ({
  figure: `hit ${row} against ${peer}`,
  row,
  subject: 'Afterimage',
  peer,
  atLeast,
});

const TARGETS: readonly Target[] = [
  least('4 KB', 'nginx', 1.25),
  least('4 KB', 'Varnish', 4),
  least('4 KB', 'bare uWS', 0.9),
  least('64 KB', 'nginx', 1.2),
  least('512 KB', 'nginx', 2),
  least('2 MB', 'nginx', 1.8),
];

/** A short run asks each peer only where a figure compares with it. */
function isAsked(peer: string, row: string, bench: Bench): boolean {
  const isCompared = TARGETS.some((target) => target.row === row && target.peer === peer);
  return bench.effort.name !== 'quick' || peer === 'Afterimage' || isCompared;
}

async function run(bench: Bench): Promise<Outcome> {
  const images = new Map(SIZES.map(([, bytes]) => [`${bytes}.png`, makePng(bytes)]));
  // No figure compares with Fastify: a short run does without it.
  const names: readonly PeerName[] = [
    'afterimage',
    'nginx',
    'varnish',
    ...(bench.effort.name !== 'quick' ? ['fastify' as const] : []),
    'bare-uws',
  ];
  return withPeers(names, images, bench, async (started) => {
    const rows: Row[] = [];
    const measureRow = async (label: string, bytes: number, connections: number): Promise<void> => {
      const asked = started.peers.filter(({ name }) => isAsked(name, label, bench));
      const subjects = asked.map((peer) => ({
        name: peer.name,
        pids: [peer.pid],
        measure: async (seconds: number) => bench.load(peer.url(`${bytes}.png`), { connections, seconds }),
      }));
      rows.push(await interleave({ label, unit: 'requests/s', better: 'more' }, subjects, bench));
    };
    for (const [label, bytes] of SIZES) await measureRow(label, bytes, CONNECTIONS);
    if (bench.effort.name === 'full') await measureRow(MANY, 4 * KIB, MANY_CONNECTIONS);
    return {
      rows,
      targets: TARGETS,
      notes: [
        `${CONNECTIONS} keep-alive connections, one URL a row; every peer serves the same bytes`,
        ...started.peers.map((peer) => `${peer.name}: ${peer.settings}`),
      ],
      missing: started.missing,
    };
  });
}

export const hit: Scenario = {
  name: 'hit',
  question: 'How many hot images a second does one core serve?',
  takesS: { quick: 28, full: 145 },
  run,
};
