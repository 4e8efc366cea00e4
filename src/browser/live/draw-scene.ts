/**
 * The picture that "Send a test image" sends: a small landscape, another one each time. Drawn as a
 * final, or as it would look part of the way through a generation.
 */

const SCENE_WIDTH = 1024;
const SCENE_HEIGHT = 768;

/** mulberry32: the same seed, the same landscape, so that partials and final show one picture. */
function createChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function newCanvas(width: number, height: number): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser gives no canvas');
  return [canvas, context];
}

function drawSky(context: CanvasRenderingContext2D, warm: number, cool: number, chance: () => number): void {
  const sky = context.createLinearGradient(0, 0, 0, SCENE_HEIGHT);
  sky.addColorStop(0, `hsl(${cool + 12} 42% 28%)`);
  sky.addColorStop(0.45, `hsl(${cool} 42% 60%)`);
  sky.addColorStop(0.75, `hsl(${warm} 78% 80%)`);
  context.fillStyle = sky;
  context.fillRect(0, 0, SCENE_WIDTH, SCENE_HEIGHT);
  const [x, y] = [180 + chance() * 660, 230 + chance() * 170];
  const glow = context.createRadialGradient(x, y, 30, x, y, 380);
  glow.addColorStop(0, `hsl(${warm} 100% 93% / 85%)`);
  glow.addColorStop(1, `hsl(${warm} 100% 82% / 0%)`);
  context.fillStyle = glow;
  context.fillRect(0, 0, SCENE_WIDTH, SCENE_HEIGHT);
  context.fillStyle = `hsl(${warm} 100% 96%)`;
  context.beginPath();
  context.arc(x, y, 46 + chance() * 30, 0, Math.PI * 2);
  context.fill();
}

function drawRidge(
  context: CanvasRenderingContext2D,
  depth: number,
  cool: number,
  chance: () => number,
): void {
  const base = 400 + depth * 78;
  const waves = [1, 2, 3, 5].map((n) => ({ n, phase: chance() * 7, height: (chance() * 74) / Math.sqrt(n) }));
  context.beginPath();
  context.moveTo(0, SCENE_HEIGHT);
  for (let x = 0; x <= SCENE_WIDTH; x += 4) {
    const angle = (x / SCENE_WIDTH) * Math.PI;
    const rise = waves.reduce(
      (sum, wave) => sum + Math.sin(angle * wave.n * 1.7 + wave.phase) * wave.height,
      0,
    );
    context.lineTo(x, base - rise * (1 - depth * 0.12));
  }
  context.lineTo(SCENE_WIDTH, SCENE_HEIGHT);
  context.fillStyle = `hsl(${cool + depth * 7} ${28 + depth * 4}% ${58 - depth * 11}%)`;
  context.fill();
}

export function drawScene(seed: number): HTMLCanvasElement {
  const [canvas, context] = newCanvas(SCENE_WIDTH, SCENE_HEIGHT);
  const chance = createChance(seed);
  // Warm at the horizon, somewhere between teal and violet above it.
  const [warm, cool] = [(332 + chance() * 70) % 360, 188 + chance() * 72];
  drawSky(context, warm, cool, chance);
  for (let depth = 0; depth < 5; depth++) drawRidge(context, depth, cool, chance);
  return canvas;
}

/** The scene through fewer pixels and more grain; `progress` from 0 to 1. */
export function drawUnfinished(scene: HTMLCanvasElement, progress: number, seed: number): HTMLCanvasElement {
  const [canvas, context] = newCanvas(SCENE_WIDTH, SCENE_HEIGHT);
  const width = Math.round(12 * (SCENE_WIDTH / 2 / 12) ** progress);
  const [small, reduced] = newCanvas(width, Math.max(1, Math.round((width * SCENE_HEIGHT) / SCENE_WIDTH)));
  reduced.drawImage(scene, 0, 0, small.width, small.height);
  context.drawImage(small, 0, 0, SCENE_WIDTH, SCENE_HEIGHT);
  const chance = createChance(seed + Math.round(progress * 100));
  for (let grain = 0; grain < 4200 * (1 - progress); grain++) {
    context.fillStyle = `hsl(0 0% ${chance() * 100}% / 22%)`;
    context.fillRect(chance() * SCENE_WIDTH, chance() * SCENE_HEIGHT, 9, 9);
  }
  return canvas;
}

export function toJpeg(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const take = (blob: Blob | null): void =>
      blob === null ? reject(new Error('this browser makes no JPEG')) : resolve(blob);
    canvas.toBlob(take, 'image/jpeg', 0.9);
  });
}
