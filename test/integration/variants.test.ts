/** Protocol 1.3: renderings, of what, in which sizes and formats, and how often they are made. */
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  alphaPng,
  animatedGif,
  avif,
  displayP3Png,
  jpeg,
  photoPng,
  picture,
  png,
  rotatedJpegWithGps,
} from '../fixtures/images.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

let app: RunningApp;

beforeAll(async () => {
  app = await runApp({ VARIANT_SIZES: '32,64,128,512' });
  const images = {
    png: await png(),
    jpeg: await jpeg(),
    avif: await avif(),
    gif: await animatedGif(),
    alpha: await alphaPng(),
    rotated: await rotatedJpegWithGps(),
    p3: await displayP3Png(),
  };
  await Promise.all(
    Object.entries(images).map(async ([id, bytes]) => {
      const response = await app.put(id, bytes, { type: 'application/octet-stream' });
      if (response.status !== 201) throw new Error(await response.text());
    }),
  );
});
afterAll(async () => app.close());

async function rendered(path: string, accept = '*/*'): Promise<{ response: Response; bytes: Buffer }> {
  const response = await app.get(`/images/${path}`, { accept });
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.status, bytes.toString('latin1').slice(0, 300)).toBe(200);
  return { response, bytes };
}

async function shape(path: string): Promise<string> {
  const { bytes, response } = await rendered(path);
  const { width, height, format } = await sharp(bytes).metadata();
  return `${width}x${height} ${String(response.headers.get('content-type'))} ${format}`;
}

async function tag(path: string, accept?: string): Promise<string> {
  return (await rendered(path, accept)).response.headers.get('etag') ?? '';
}

async function problem(path: string): Promise<[number, string]> {
  const response = await app.get(`/images/${path}`);
  return [response.status, ((await response.json()) as { code: string }).code];
}

describe('1.3 sizes and fit', () => {
  test('one side, both sides, and each fit', async () => {
    expect(await shape('png?w=64')).toBe('64x48 image/png png');
    expect(await shape('png?h=32')).toBe('43x32 image/png png');
    expect(await shape('png?w=64&h=64')).toBe('64x48 image/png png');
    expect(await shape('png?w=64&h=64&fit=cover')).toBe('64x64 image/png png');
    expect(await shape('png?w=64&h=64&fit=contain')).toBe('64x64 image/png png');
    expect(await shape('png?w=64&h=128&fit=fill')).toBe('64x128 image/png png');
  });

  test('inside never enlarges', async () => {
    expect(await shape('png?w=512')).toBe('320x240 image/png png');
  });

  test('fit counts only with both sides: it makes no second rendering without', async () => {
    const before = await app.metric('renders_total');
    const etag = await tag('jpeg?w=128');
    for (const fit of ['cover', 'contain', 'fill', 'inside'])
      expect(await tag(`jpeg?w=128&fit=${fit}`)).toBe(etag);
    expect(await app.metric('renders_total')).toBe(before + 1);
  });

  test.each([
    ['png?w=65', 'size_unlisted'],
    ['png?h=0', 'size_unlisted'],
    ['png?w=-64', 'size_unlisted'],
    ['png?w=64.0', 'size_unlisted'],
    ['png?w=064x', 'size_unlisted'],
    ['png?w=99999999999', 'size_unlisted'],
    ['png?w=64&fit=outside', 'query_invalid'],
    ['png?format=gif', 'query_invalid'],
    ['png?format=svg', 'query_invalid'],
    ['png?q=0', 'query_invalid'],
    ['png?q=101', 'query_invalid'],
    ['png?q=1e1', 'query_invalid'],
    ['png?anim=2', 'query_invalid'],
    [`png?${'x'.repeat(600)}`, 'query_invalid'],
    [`none?w=65`, 'size_unlisted'],
  ])('%s is refused as %s, before anything is looked up', async (path, code) => {
    expect(await problem(path)).toEqual([400, code]);
  });

  test('a rendering of no image is no image', async () => {
    expect(await problem('none?w=64')).toEqual([404, 'image_not_found']);
  });
});

describe('1.3 formats', () => {
  test('each by name', async () => {
    expect(await shape('png?w=64&format=webp')).toBe('64x48 image/webp webp');
    expect(await shape('png?w=64&format=avif')).toBe('64x48 image/avif heif');
    expect(await shape('png?w=64&format=jpeg')).toBe('64x48 image/jpeg jpeg');
    expect(await shape('jpeg?w=64&format=png')).toBe('64x48 image/png png');
    expect(await shape('png?format=webp')).toBe('320x240 image/webp webp');
  });

  test('without a name it is that of the image, and WebP for a GIF', async () => {
    expect(await shape('jpeg?w=64')).toBe('64x48 image/jpeg jpeg');
    expect(await shape('avif?w=64')).toBe('64x48 image/avif heif');
    expect(await shape('gif?w=32')).toMatch(/ image\/webp webp$/);
  });

  test('none of these says Vary', async () => {
    for (const path of ['png', 'png?w=64', 'png?w=64&format=webp']) {
      expect((await rendered(path)).response.headers.get('vary')).toBe(null);
    }
  });

  test('q is rounded to steps of five, which share a rendering', async () => {
    const before = await app.metric('renders_total');
    const etag = await tag('png?w=128&format=webp&q=48');
    expect(await tag('png?w=128&format=webp&q=50')).toBe(etag);
    expect(await tag('png?w=128&format=webp&q=52')).toBe(etag);
    expect(await app.metric('renders_total')).toBe(before + 1);
    expect(await tag('png?w=128&format=webp&q=53')).not.toBe(etag);
    expect((await rendered('png?w=128&format=webp&q=1')).bytes.length).toBeLessThan(
      (await rendered('png?w=128&format=webp&q=100')).bytes.length,
    );
  });
});

describe('1.3 format=auto', () => {
  const browser = 'image/avif,image/webp,image/apng,*/*;q=0.8';
  const type = async (path: string, accept: string): Promise<string> => {
    const { response } = await rendered(path, accept);
    expect(response.headers.get('vary')).toBe('Accept');
    return response.headers.get('content-type') ?? '';
  };

  test('small: AVIF, WebP, else what every client reads, as Accept names it', async () => {
    expect(await type('png?w=64&format=auto', browser)).toBe('image/avif');
    expect(await type('png?w=64&format=auto', 'image/webp')).toBe('image/webp');
    expect(await type('png?w=64&format=auto', 'image/avif;q=0, image/webp')).toBe('image/webp');
    expect(await type('png?w=64&format=auto', 'IMAGE/WEBP;q=0.1')).toBe('image/webp');
    expect(await type('png?w=64&format=auto', '*/*')).toBe('image/png');
    expect(await type('jpeg?w=64&format=auto', 'image/*')).toBe('image/jpeg');
  });

  test('large: AVIF only once it is made', async () => {
    expect(await type('png?w=512&format=auto', browser)).toBe('image/webp');
    await rendered('png?w=512&format=avif');
    expect(await type('png?w=512&format=auto', browser)).toBe('image/avif');
    expect(await type('png?w=512&format=auto', 'image/webp')).toBe('image/webp');
  });

  test('an animation is never AVIF, its first frame may be', async () => {
    expect(await type('gif?w=32&format=auto', browser)).toBe('image/webp');
    expect(await type('gif?w=32&format=auto&anim=0', browser)).toBe('image/avif');
  });

  test('304 and 206 say Vary too', async () => {
    const etag = await tag('png?w=64&format=auto', browser);
    for (const more of [{ 'if-none-match': etag }, { range: 'bytes=0-1' }]) {
      const response = await app.get('/images/png?w=64&format=auto', { accept: browser, ...more });
      expect([response.status < 400, response.headers.get('vary')]).toEqual([true, 'Accept']);
    }
  });
});

describe('1.3 what a rendering keeps and loses', () => {
  test('orientation is applied; place, camera and profile are gone', async () => {
    const original = await sharp((await rendered('rotated')).bytes).metadata();
    expect([original.width, original.height, original.orientation]).toEqual([320, 240, 6]);
    // 51/1 30/1 0/1, as little-endian rationals.
    const place = Buffer.from(new Uint32Array([51, 1, 30, 1, 0, 1]).buffer);
    expect((await rendered('rotated')).bytes.includes(place)).toBe(true);
    for (const format of ['jpeg', 'webp', 'png', 'avif']) {
      const { bytes } = await rendered(`rotated?w=128&format=${format}`);
      const { width, height, exif, orientation, icc, xmp } = await sharp(bytes).metadata();
      expect({ format, width, height, exif, icc, xmp }).toEqual({ format, width: 128, height: 171 });
      expect(orientation ?? 1).toBe(1);
      expect([format, bytes.includes(place)]).toEqual([format, false]);
    }
  });

  test('wide colours come to sRGB', async () => {
    const { bytes } = await rendered('p3?w=32&format=png');
    const { data } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const [red = 0, green = 255, blue = 255] = data;
    expect(red).toBeGreaterThan(250);
    expect(green).toBeLessThan(8);
    expect(blue).toBeLessThan(8);
  });

  test('alpha is kept, and white shows through where there is none', async () => {
    const corner = async (path: string): Promise<number[]> => {
      const { bytes } = await rendered(path);
      return [...(await sharp(bytes).ensureAlpha().raw().toBuffer()).subarray(0, 4)];
    };
    for (const format of ['webp', 'png', 'avif'])
      expect((await corner(`alpha?w=64&format=${format}`))[3]).toBe(0);
    for (const channel of await corner('alpha?w=64&format=jpeg')) expect(channel).toBeGreaterThan(250);
  });

  test('an animation stays one, or its first frame with anim=0', async () => {
    const pages = async (path: string): Promise<number> =>
      (await sharp((await rendered(path)).bytes, { animated: true }).metadata()).pages ?? 1;
    expect(await pages('gif?w=32')).toBe(4);
    expect(await pages('gif?w=32&anim=0')).toBe(1);
    expect(await pages('gif?anim=0')).toBe(1);
  });
});

describe('1.3 making them', () => {
  test('200 clients that ask at once for a rendering that is not there get it made once', async () => {
    await app.put('crowd', new Uint8Array(await picture(640, 480).png().toBuffer()));
    const before = await app.metric('renders_total');
    const tags = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const response = await app.get('/images/crowd?w=512&format=webp');
        await response.arrayBuffer();
        return response.headers.get('etag');
      }),
    );
    expect(new Set(tags).size).toBe(1);
    expect(tags[0]).toMatch(/^"[0-9a-f]{64}"$/);
    expect(await app.metric('renders_total')).toBe(before + 1);
  });

  test('who replaces an image never gets a rendering of the one before', async () => {
    await app.put('replaced', await png());
    const first = await tag('replaced?w=64&format=png');
    await app.put('replaced', await photoPng());
    expect(await tag('replaced?w=64&format=png')).not.toBe(first);
    expect(await shape('replaced?w=64&format=png')).toBe('64x64 image/png png');
  });

  test('a client that leaves does not end the rendering for the others', async () => {
    await app.put('left', await photoPng());
    const controller = new AbortController();
    const address = `${app.base}/images/left?w=512&format=webp`;
    const leaver = fetch(address, { signal: controller.signal }).catch(() => 'left');
    const others = Promise.all([rendered('left?w=512&format=webp'), rendered('left?w=512&format=webp')]);
    controller.abort();
    expect(await leaver).toBe('left');
    const [one, two] = await others;
    expect(one.bytes.equals(two.bytes)).toBe(true);
  });

  test('a rendering survives a restart', async () => {
    const first = await runApp({});
    await first.put('a', await png());
    const etag = (await first.get('/images/a?w=64')).headers.get('etag');
    await first.app.close();
    const second = await runApp({}, { cacheDir: first.cacheDir });
    const response = await second.get('/images/a?w=64');
    expect(response.headers.get('etag')).toBe(etag);
    expect(response.headers.get('cache-status')).toBe('disk; hit, memory; fwd=uri-miss; stored');
    expect(await second.metric('renders_total')).toBe(0);
    await second.close();
    await first.close();
  });
});
