/** Images coming in, in every form, good and bad; what was accepted is written into the ledger. */
import type { Answered, Asking, Failure } from './ask.ts';
import { sha256, type Body } from './bodies.ts';
import type { Write } from './ledger.ts';
import {
  allIds,
  expectStatus,
  received,
  someId,
  someTopic,
  type Action,
  type Stage,
  type Weighted,
} from './stage.ts';

type Form = (body: Body) => Asking;

const base64 = ({ bytes }: Body): string => Buffer.from(bytes).toString('base64');
const dataUrl = (body: Body): string => `data:${body.mime};base64,${base64(body)}`;
const json = (value: unknown): Asking => ({
  body: JSON.stringify(value),
  headers: { 'Content-Type': 'application/json' },
});

const FORMS: readonly (readonly [kind: string, form: Form])[] = [
  ['put raw', ({ bytes, mime }) => ({ body: bytes, headers: { 'Content-Type': mime } })],
  ['put raw', ({ bytes }) => ({ body: bytes, headers: { 'Content-Type': 'application/octet-stream' } })],
  [
    'put chunked',
    ({ bytes, mime }) => ({ body: bytes, headers: { 'Content-Type': mime }, chunkBytes: 10_000 }),
  ],
  ['put json', (body) => json({ base64_data: base64(body) })],
  ['put json', (body) => json({ image_data: dataUrl(body), meta: { from: 'soak' } })],
  ['put json', (body) => json({ b64_json: base64(body), mime_type: 'image/x-wrong' })],
  ['put data url', (body) => ({ body: dataUrl(body), headers: { 'Content-Type': 'text/plain' } })],
];

/** Writes down what became of it; true when it was accepted. */
function settle(
  stage: Stage,
  kind: string,
  got: Answered | Failure,
  write: Write,
  good: readonly number[],
): boolean {
  const answer = received(stage, kind, got);
  if (answer === undefined) {
    if (typeof got === 'string') write.unknown();
    else write.refused();
    return false;
  }
  const isGood = expectStatus(stage, kind, answer, ...good);
  if (isGood) write.accepted(stage.mayVanish(answer.askedMs));
  else write.refused();
  return isGood;
}

const put: Action = async (stage) => putUnder(stage, someId(stage));

/** In some form or other. */
async function putUnder(stage: Stage, id: string): Promise<void> {
  const { draw, bodies } = stage;
  const [topic, body] = [someTopic(stage), draw.pick(bodies.good)];
  const [kind, form] = draw.pick(FORMS);
  const ttlMs = draw.chance(0.04) ? 2000 : undefined;
  const write = stage.images.begin(id, body.hash, ttlMs);
  if (write === undefined) return;
  const query = `?topic=${topic}${ttlMs === undefined ? '' : `&ttl=${ttlMs / 1000}`}`;
  const beganMs = performance.now();
  const got = await stage.ask(`/images/${id}${query}`, { method: 'PUT', ...form(body) });
  if (!settle(stage, kind, got, write, [200, 201])) return;
  stage.finals.push({ topic, id, digest: body.hash, beganMs, doneMs: performance.now() });
  const receipt = JSON.parse((got as Answered).bytes.toString()) as { version: string; bytes: number };
  if (receipt.version !== body.hash || receipt.bytes !== body.bytes.length) {
    stage.tally.wrong(`${kind} ${id}: the receipt is of other bytes`);
  }
}

/** Every id once, so that there is something to ask for. */
export async function fill(stage: Stage): Promise<void> {
  const ids = allIds();
  const next = async (): Promise<void> => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) await putUnder(stage, id);
  };
  await Promise.all(Array.from({ length: 8 }, next));
}

/** As the Images API streams it: two partials, then the final. */
const stream: Action = async (stage) => {
  const [id, topic, body] = [
    someId(stage),
    someTopic(stage),
    stage.draw.pick(stage.bodies.good.slice(0, 12)),
  ];
  const write = stage.images.begin(id, body.hash);
  if (write === undefined) return;
  const b64_json = base64(body);
  const say = (event: object): string => `data: ${JSON.stringify({ ...event, b64_json })}\n\n`;
  const partials = [0, 1].map((at) =>
    say({ type: 'image_generation.partial_image', partial_image_index: at }),
  );
  const text = `${partials.join('')}${say({ type: 'image_generation.completed' })}`;
  const beganMs = performance.now();
  const asking = {
    method: 'POST',
    body: text,
    chunkBytes: 3000,
    headers: { 'Content-Type': 'text/event-stream' },
  };
  const got = await stage.ask(`/images/${id}/stream?topic=${topic}`, asking);
  if (settle(stage, 'put stream', got, write, [200, 201])) {
    stage.finals.push({ topic, id, digest: body.hash, beganMs, doneMs: performance.now() });
  }
};

const partial: Action = async (stage) => {
  const body = stage.draw.pick(stage.bodies.good.slice(0, 12));
  const path = `/images/partial/${stage.draw.below(20)}?partial=${stage.draw.below(4)}&topic=${someTopic(stage)}`;
  const got = await stage.ask(path, { method: 'PUT', body: body.bytes });
  const answer = received(stage, 'put partial', got);
  if (answer !== undefined) expectStatus(stage, 'put partial', answer, 200, 201);
};

/** Under an id of the server's, asked for, and deleted again. */
const post: Action = async (stage) => {
  const body = stage.draw.pick(stage.bodies.good);
  const created = received(stage, 'post', await stage.ask('/images', { method: 'POST', body: body.bytes }));
  if (created === undefined || !expectStatus(stage, 'post', created, 201)) return;
  const path = created.header('location');
  const got = received(stage, 'post', await stage.ask(path));
  const lost = got?.status === 404 && stage.isExcused(created.askedMs);
  if (got !== undefined && !lost && (got.status !== 200 || sha256(got.bytes) !== body.hash)) {
    stage.tally.wrong(`post ${path}: ${got.status}, not what was handed over`);
  }
  const gone = received(stage, 'delete', await stage.ask(path, { method: 'DELETE' }));
  if (gone?.status === 404 && stage.isExcused(created.askedMs)) return;
  if (gone !== undefined) expectStatus(stage, 'delete', gone, 204);
};

const remove: Action = async (stage) => {
  const id = someId(stage);
  const write = stage.images.begin(id, undefined);
  if (write === undefined) return;
  const got = await stage.ask(`/images/${id}`, { method: 'DELETE' });
  // Deleted while the tier that had it was away: what may come back with it is not known.
  if (typeof got !== 'string' && stage.isExcused(got.askedMs)) {
    received(stage, 'delete', got);
    write.unknown();
  } else settle(stage, 'delete', got, write, [204, 404]);
};

/** Under ids that exist: what was refused must not have touched them. */
export const poison: Action = async (stage) => {
  const bytes = stage.draw.pick(stage.bodies.bad);
  const got = await stage.ask(`/images/${someId(stage)}`, { method: 'PUT', body: bytes });
  const answer = received(stage, 'put poisoned', got);
  if (answer !== undefined && answer.status < 400) stage.tally.wrong(`put poisoned: ${answer.status}`);
};

export const leaveUpload: Action = async (stage) => {
  const id = someId(stage);
  const body = stage.draw.pick(stage.bodies.good);
  const write = stage.images.begin(id, body.hash);
  if (write === undefined) return;
  const leaveAfterSent = stage.draw.below(body.bytes.length);
  const got = await stage.ask(`/images/${id}`, { method: 'PUT', body: body.bytes, leaveAfterSent });
  // Not all of it was sent: it can't have been accepted.
  received(stage, 'put left', got);
  write.refused();
};

export const WRITES: Weighted = [
  [8, 'put', put],
  [1, 'put stream', stream],
  [1, 'put partial', partial],
  [1, 'post', post],
  [1, 'delete', remove],
  [1, 'put poisoned', poison],
  [1, 'put left', leaveUpload],
];
