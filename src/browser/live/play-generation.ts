/** What a generator does, through the real path: partials that grow sharper, then the final image. */
import { drawScene, drawUnfinished, toJpeg } from './draw-scene.ts';
import type { ImageToPut } from './put-image.ts';

const PARTIALS = 5;
/** Above the server's least interval between partials, and slow enough to watch. */
const BETWEEN_MS = 550;

/** False as soon as one was not taken. */
export async function playGeneration(
  id: string,
  topic: string,
  put: (image: ImageToPut) => Promise<boolean>,
): Promise<boolean> {
  const seed = Date.now();
  const scene = drawScene(seed);
  for (let partial = 0; partial < PARTIALS; partial++) {
    const body = await toJpeg(drawUnfinished(scene, partial / PARTIALS, seed));
    if (!(await put({ id, topic, body, partial }))) return false;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  return put({ id, topic, body: await toJpeg(scene) });
}
