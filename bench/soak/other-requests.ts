/** Everything that is no image: values, responses of an application behind, pages and probes. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { sha256 } from './bodies.ts';
import { createDraw } from './draw.ts';
import { expectStatus, isMissing, received, type Action, type Stage, type Weighted } from './stage.ts';

const KEYS = 60;
const VALUES = Array.from({ length: 24 }, (_, at) =>
  JSON.stringify({ at, text: 'v'.repeat(50 * (at + 1) ** 2) }),
);

const someKey = (stage: Stage): string => `soak:${stage.draw.below(KEYS)}`;

const putValue: Action = async (stage) => {
  const key = someKey(stage);
  const body = stage.draw.pick(VALUES);
  const write = stage.values.begin(key, sha256(Buffer.from(body)));
  if (write === undefined) return;
  const asking = { method: 'PUT', body, headers: { 'Content-Type': 'application/json' } };
  const got = await stage.ask(`/cache/${key}`, asking);
  const answer = received(stage, 'value put', got);
  if (answer !== undefined && expectStatus(stage, 'value put', answer, 200, 201))
    write.accepted(stage.mayVanish(answer.askedMs));
  else if (typeof got === 'string') write.unknown();
  else write.refused();
};

const getValue: Action = async (stage) => {
  const key = someKey(stage);
  const got = received(stage, 'value get', await stage.ask(`/cache/${key}`));
  if (got === undefined || isMissing(stage, 'value get', key, got, stage.values)) return;
  if (!expectStatus(stage, 'value get', got, 200)) return;
  if (!stage.values.mayBe(key, got.digest, got.askedMs)) stage.tally.wrong(`value ${key}: another value`);
};

/** What the application answers: told from the address alone, so that every answer can be judged. */
function areaOf(path: string): string {
  const at = Number(/(\d+)$/.exec(path)?.[1] ?? 0);
  return JSON.stringify({ path, text: 'a'.repeat(200 + (at % 40) * 100) });
}

const api: Action = async (stage) => {
  const path = `/api/areas/${stage.draw.below(400)}`;
  const got = received(stage, 'api', await stage.ask(path));
  if (got !== undefined && expectStatus(stage, 'api', got, 200) && got.bytes.toString() !== areaOf(path)) {
    stage.tally.wrong(`api ${path}: another answer`);
  }
};

const page: Action = async (stage) => {
  const got = received(
    stage,
    'page',
    await stage.ask(stage.draw.pick(['/', '/live', '/client.js', '/readyz', '/admin/stats'])),
  );
  if (got !== undefined) expectStatus(stage, 'page', got, 200);
};

export const OTHERS: Weighted = [
  [3, 'value get', getValue],
  [1, 'value put', putValue],
  [4, 'api', api],
  [1, 'page', page],
];

/** The application behind /api/: slow at times. */
export async function startApplication(seed: number): Promise<{ readonly port: number; close(): void }> {
  const draw = createDraw(seed);
  const server = createServer((request, response) => {
    const body = areaOf(request.url ?? '/');
    setTimeout(
      () => response.writeHead(200, { 'Content-Type': 'application/json' }).end(body),
      draw.below(30),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { port: typeof address === 'object' && address !== null ? address.port : 0, close };
}
