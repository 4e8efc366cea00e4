/**
 * Subscribers that come and go, over SSE and WebSocket: some stop reading for a while, some leave and
 * resume by cursor. Checks what each hears: order, nothing twice, nothing missing, nothing made up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openRawStream } from '../../test/fixtures/raw-stream.ts';
import { openRawWebSocket } from '../../test/fixtures/raw-web-socket.ts';
import { sha256 } from './bodies.ts';
import type { Draw } from './draw.ts';
import { someTopic, type Stage } from './stage.ts';

interface Heard {
  readonly event: string;
  readonly cursor: string;
  readonly data: {
    readonly id?: string;
    readonly version?: string;
    readonly bytes?: number;
    readonly image_data?: string;
  };
}

/** One connection, whichever transport. */
interface Line {
  /** What came since the last call. */
  take(): readonly Heard[];
  isClosed(): boolean;
  stopReading(): void;
  goOnReading(): void;
  destroy(): void;
}

/** What one reader has heard through all its connections. */
interface Session {
  readonly topics: readonly string[];
  /** The first connection stood. */
  openedMs: number;
  readonly cursors: Set<string>;
  readonly finals: Set<string>;
  last: string;
  /** The newest since the last gap. */
  ordered: string;
  /** It was told, or has to expect, that it did not hear everything. */
  isWhole: boolean;
}

export interface Followers {
  readonly heard: number;
  stop(): Promise<void>;
}

const MODES = ['inline=none', 'inline=thumbnail', 'inline=thumbnail', 'inline=full&inline_max=262144'];
const POLL_MS = 100;
/** What waited for a reader that paused takes a moment. */
const AFTER_PAUSE_MS = 12_000;

async function openSse(port: number, query: string): Promise<Line | undefined> {
  const stream = await openRawStream(port, `/events?${query}`);
  if (!stream.head().startsWith('HTTP/1.1 200')) {
    stream.destroy();
    return undefined;
  }
  let taken = 0;
  return {
    ...stream,
    take() {
      const fresh = stream.events().slice(taken);
      taken += fresh.length;
      return fresh.map(({ event, id, data }) => ({
        event,
        cursor: id,
        data: JSON.parse(data) as Heard['data'],
      }));
    },
  };
}

async function openWs(port: number, query: string): Promise<Line | undefined> {
  const socket = await openRawWebSocket(port, `/ws?${query}`);
  if (!socket.head.startsWith('HTTP/1.1 101')) {
    socket.destroy();
    return undefined;
  }
  let taken = 0;
  return {
    ...socket,
    take() {
      const fresh = socket.frames().slice(taken);
      taken += fresh.length;
      const messages = fresh.filter(({ binary }) => !binary);
      return messages
        .map(({ bytes }) => JSON.parse(bytes.toString()) as Heard & { readonly type: string })
        .filter(({ type }) => type === 'event');
    },
  };
}

function isAfter(cursor: string, before: string): boolean {
  const [ms = 0, at = 0] = cursor.split('-').map(Number);
  const [beforeMs = 0, beforeAt = 0] = before.split('-').map(Number);
  return ms > beforeMs || (ms === beforeMs && at > beforeAt);
}

function judgeImage(stage: Stage, { event, data }: Heard): void {
  const { id = '', version = '', bytes = 0, image_data: image = '' } = data;
  // Of what the squeeze puts nobody keeps account.
  if (
    id.startsWith('soak/') &&
    event !== 'image.deleted' &&
    event !== 'image.failed' &&
    !stage.bodies.byHash.has(version)
  ) {
    stage.tally.wrong(`event ${event} of ${id}: a version that nobody sent`);
  }
  if (!image.startsWith('data:')) return;
  const inlined = Buffer.from(image.slice(image.indexOf(',') + 1), 'base64');
  if (inlined.length === bytes && sha256(inlined) !== version)
    stage.tally.wrong(`event of ${id}: other bytes in it`);
}

function hear(stage: Stage, session: Session, heard: Heard): void {
  if (heard.event === 'gap' || heard.event === 'close') {
    session.isWhole = false;
    // After a gap it is told anew what happened since, by cursors of before.
    if (heard.event === 'gap') session.cursors.clear();
    if (heard.event === 'gap') session.ordered = '';
    return;
  }
  const { cursor, data } = heard;
  if (session.cursors.has(cursor)) stage.tally.wrong(`event ${cursor} of ${data.id ?? ''} came twice`);
  else if (session.ordered !== '' && !isAfter(cursor, session.ordered))
    stage.tally.wrong(`event ${cursor} came after ${session.ordered}`);
  session.cursors.add(cursor);
  session.last = cursor;
  session.ordered = cursor;
  session.finals.add(`${data.id ?? ''} ${data.version ?? ''}`);
  judgeImage(stage, heard);
}

/** Every final that was accepted while it followed must have been heard. */
function judgeSession(stage: Stage, session: Session): void {
  if (!session.isWhole || stage.isExcused(session.openedMs)) return;
  const lastMs = performance.now() - stage.lateMs;
  const missed = stage.finals.filter(
    ({ topic, id, digest, beganMs, doneMs }) =>
      session.topics.includes(topic) &&
      beganMs > session.openedMs &&
      doneMs < lastMs &&
      !session.finals.has(`${id} ${digest}`),
  );
  if (missed.length > 0)
    stage.tally.wrong(
      `a stream of ${session.topics.join()} never heard of ${missed.length}, as ${missed[0]?.id}`,
    );
}

interface Reader {
  readonly stage: Stage;
  readonly draw: Draw;
  readonly isStopping: () => boolean;
}

async function connect(
  { stage }: Reader,
  session: Session,
  isWs: boolean,
  mode: string,
): Promise<Line | undefined> {
  const topics = session.topics.map((topic) => `topic=${topic}`).join('&');
  const since = session.last === '' ? '' : `&since=${session.last}`;
  const line = await (isWs ? openWs : openSse)(stage.port, `${topics}&${mode}${since}`);
  stage.tally.count(isWs ? 'stream ws' : 'stream sse', line === undefined ? 'refused' : 'opened');
  if (line !== undefined) session.openedMs ||= performance.now();
  return line;
}

/** How many it heard. */
async function read({ stage, draw, isStopping }: Reader, session: Session, line: Line): Promise<number> {
  let endMs = performance.now() + draw.between(500, 15_000);
  let heard = 0;
  const take = (): void => {
    for (const each of line.take()) {
      heard += 1;
      hear(stage, session, each);
    }
  };
  if (draw.chance(0.2)) {
    line.stopReading();
    await sleep(draw.between(0, 8000));
    line.goOnReading();
    endMs = performance.now() + AFTER_PAUSE_MS;
  }
  while (!isStopping() && !line.isClosed() && performance.now() < endMs) {
    await sleep(POLL_MS);
    take();
  }
  take();
  return heard;
}

/** One reader, over one connection or more. */
async function follow(reader: Reader): Promise<number> {
  const { stage, draw, isStopping } = reader;
  const topics = [...new Set(Array.from({ length: 1 + draw.below(3) }, () => someTopic({ draw })))];
  const session: Session = {
    topics,
    openedMs: 0,
    cursors: new Set(),
    finals: new Set(),
    last: '',
    ordered: '',
    isWhole: true,
  };
  const isWs = draw.chance(0.4);
  const mode = draw.pick(MODES);
  let heard = 0;
  for (let connections = 1 + draw.below(3); connections > 0 && !isStopping(); connections -= 1) {
    const line = await connect(reader, session, isWs, mode);
    if (line === undefined) return heard;
    try {
      heard += await read(reader, session, line);
    } finally {
      line.destroy();
    }
    // Without a cursor it can't resume: what happens until the next connection is not heard.
    if (session.last === '') break;
    if (connections > 1) await sleep(draw.below(2000));
  }
  judgeSession(stage, session);
  return heard;
}

export function startFollowers(stage: Stage, count: number, draw: Draw): Followers {
  let isStopping = false;
  let heard = 0;
  const reader = { stage, draw, isStopping: () => isStopping };
  const loops = Array.from({ length: count }, async () => {
    for (; !isStopping; await sleep(draw.below(1000))) {
      try {
        heard += await follow(reader);
      } catch (error) {
        stage.tally.wrong(`a stream broke: ${String(error)}`);
      }
    }
  });
  return {
    get heard() {
      return heard;
    },
    async stop() {
      isStopping = true;
      await Promise.all(loops);
    },
  };
}
