/** Images going out, in every way that they are asked for; each answer is compared with what was accepted. */
import { sniffImage } from '../../src/core/sniff.ts';
import type { Answered, Asking } from './ask.ts';
import {
  expectStatus,
  isMissing,
  received,
  someId,
  type Action,
  type Stage,
  type Weighted,
} from './stage.ts';

const VARIANTS = [
  'w=64',
  'w=128&format=webp',
  'w=256&format=auto',
  'w=320&h=256&fit=cover&format=jpeg',
  'h=128&format=png',
  'w=512&q=60&format=webp',
];
/** Of renderings: the same source and query give the same bytes. */
const rendered = new Map<string, string>();
const RENDERED_MAX = 20_000;

/** Undefined: nothing more to look at. */
async function get(
  stage: Stage,
  kind: string,
  id: string,
  asking: Asking = {},
  query = '',
): Promise<Answered | undefined> {
  const got = received(stage, kind, await stage.ask(`/images/${id}${query}`, asking));
  return got === undefined || isMissing(stage, kind, id, got) ? undefined : got;
}

function assertWhole(stage: Stage, kind: string, id: string, got: Answered): void {
  const { tally, images, bodies } = stage;
  if (!images.mayBe(id, got.digest, got.askedMs)) {
    const known = bodies.byHash.has(got.digest) ? 'an older or other image' : 'bytes that nobody sent';
    tally.wrong(`${kind} ${id}: ${known} (${got.bytes.length} bytes, ${got.digest.slice(0, 12)})`);
  }
  if (got.header('etag') !== `"${got.digest}"`) tally.wrong(`${kind} ${id}: the ETag is of other bytes`);
}

const hit: Action = async (stage) => {
  const id = someId(stage);
  const got = await get(stage, 'hit', id);
  if (got !== undefined && expectStatus(stage, 'hit', got, 200)) assertWhole(stage, 'hit', id, got);
};

const head: Action = async (stage) => {
  const id = someId(stage);
  const got = await get(stage, 'head', id, { method: 'HEAD' });
  if (got === undefined || !expectStatus(stage, 'head', got, 200)) return;
  const digest = got.header('etag').replaceAll('"', '');
  const body = stage.bodies.byHash.get(digest);
  if (!stage.images.mayBe(id, digest, got.askedMs)) stage.tally.wrong(`head ${id}: of another image`);
  else if (Number(got.header('content-length')) !== body?.bytes.length)
    stage.tally.wrong(`head ${id}: a wrong length`);
};

const conditional: Action = async (stage) => {
  const id = someId(stage);
  const known = stage.images.sureOf(id);
  const got = await get(stage, 'conditional', id, { headers: { 'If-None-Match': `"${known ?? 'none'}"` } });
  if (got === undefined || !expectStatus(stage, 'conditional', got, 200, 304)) return;
  if (got.status === 200) return assertWhole(stage, 'conditional', id, got);
  if (got.bytes.length > 0) stage.tally.wrong(`conditional ${id}: 304 with a body`);
  if (!stage.images.mayBe(id, known, got.askedMs))
    stage.tally.wrong(`conditional ${id}: 304, but it has changed`);
};

const range: Action = async (stage) => {
  const id = someId(stage);
  const from = stage.draw.below(3000);
  const to = from + stage.draw.below(200_000);
  const got = await get(stage, 'range', id, { headers: { Range: `bytes=${from}-${to}` } });
  if (got === undefined || !expectStatus(stage, 'range', got, 206, 416)) return;
  if (got.status === 416) return;
  const digest = got.header('etag').replaceAll('"', '');
  const part = stage.bodies.byHash.get(digest)?.bytes.subarray(from, to + 1);
  if (!stage.images.mayBe(id, digest, got.askedMs)) stage.tally.wrong(`range ${id}: of another image`);
  else if (part === undefined || !got.bytes.equals(part)) stage.tally.wrong(`range ${id}: other bytes`);
};

const miss: Action = async (stage) => {
  const got = received(stage, 'miss', await stage.ask(`/images/never/${stage.draw.below(1e9)}`));
  if (got !== undefined) expectStatus(stage, 'miss', got, 404);
};

const variant: Action = async (stage) => {
  const id = someId(stage);
  const query = stage.draw.pick(VARIANTS);
  const source = stage.images.sureOf(id);
  const got = await get(stage, 'variant', id, { headers: { Accept: 'image/webp,*/*' } }, `?${query}`);
  if (got === undefined || !expectStatus(stage, 'variant', got, 200)) return;
  const { tally } = stage;
  if (got.header('etag') !== `"${got.digest}"`)
    tally.wrong(`variant ${id}?${query}: the ETag is of other bytes`);
  if (sniffImage(got.bytes) !== got.header('content-type'))
    tally.wrong(`variant ${id}?${query}: not what it says`);
  // Only where the source can have been no other.
  if (source === undefined || source === 'unsure' || stage.images.sureOf(id) !== source) return;
  const key = `${source} ${query}`;
  const before = rendered.get(key);
  if (before !== undefined && before !== got.digest)
    tally.wrong(`variant ${id}?${query}: other bytes than before`);
  if (rendered.size < RENDERED_MAX) rendered.set(key, got.digest);
};

const info: Action = async (stage) => {
  const id = someId(stage);
  const got = received(stage, 'info', await stage.ask(`/info/${id}`));
  if (got === undefined || isMissing(stage, 'info', id, got) || !expectStatus(stage, 'info', got, 200))
    return;
  const { version } = JSON.parse(got.bytes.toString()) as { version: string };
  if (!stage.images.mayBe(id, version, got.askedMs)) stage.tally.wrong(`info ${id}: another version`);
};

/** Leaves in the middle, or takes its time. */
const badReader: Action = async (stage) => {
  const id = someId(stage);
  const leaves = stage.draw.chance(0.5);
  const asking = leaves
    ? { leaveAfterRead: 1 + stage.draw.below(60_000) }
    : { restMs: stage.draw.below(120) };
  const kind = leaves ? 'download left' : 'download slow';
  const got = await get(stage, kind, id, asking);
  if (got !== undefined && expectStatus(stage, kind, got, 200)) assertWhole(stage, kind, id, got);
};

export const READS: Weighted = [
  [40, 'hit', hit],
  [3, 'head', head],
  [12, 'conditional', conditional],
  [7, 'range', range],
  [5, 'miss', miss],
  [6, 'variant', variant],
  [3, 'info', info],
  [4, 'bad reader', badReader],
];
