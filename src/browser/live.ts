/**
 * The gallery at `/live`: follows the topic in its address, shows what comes, and sends what it is
 * given. The parts of the page are in live/; this is how they hang together.
 */
import type { Following } from './client.ts';
import { createGallery } from './live/create-gallery.ts';
import { createLightbox } from './live/create-lightbox.ts';
import { createUploads } from './live/create-uploads.ts';
import { drawScene, toJpeg } from './live/draw-scene.ts';
import { playGeneration } from './live/play-generation.ts';
import { putImage, type ImageToPut } from './live/put-image.ts';
import { takeFiles } from './live/take-files.ts';
import { elementOf } from './pages/build-element.ts';
import { followHere } from './pages/follow-here.ts';

const FILES_MAX = 50;

const topicInput = elementOf('#topic', HTMLInputElement);
const said = elementOf('#said', HTMLElement);
let following: Following | undefined;

const gallery = createGallery(
  elementOf('#gallery', HTMLElement),
  (id) => lightbox.open(id),
  (count) => (elementOf('#blank', HTMLElement).hidden = count > 0),
);
const lightbox = createLightbox({ eventOf: gallery.eventOf, onClosed: gallery.focus });
const uploads = createUploads();

/** What is sent from here should be seen here: on the topic itself, or one below a prefix. */
function ownTopic(): string {
  const topic = topicInput.value.trim();
  if (topic === '*' || topic.startsWith('image:')) return '';
  return topic.endsWith('*') ? `${topic.slice(0, -1)}live` : topic;
}

function newId(name: string): string {
  const safe = name
    .toLowerCase()
    .replace(/\.[a-z0-9]+$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const chance = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return `live/${safe.slice(0, 60) || 'image'}-${chance.toString(36)}`;
}

function send(name: string, body: Blob): Promise<boolean> {
  return uploads.add(name, { id: newId(name), topic: ownTopic(), body });
}

/** A step that went well is seen in the gallery; one that did not is shown as an upload is. */
async function putStep(image: ImageToPut): Promise<boolean> {
  return (await putImage(image)) === undefined || uploads.add('Generation', image);
}

function followTopic(topic: string): void {
  following?.close();
  gallery.clear();
  topicInput.value = topic;
  elementOf('#blank-topic', HTMLElement).textContent = topic;
  const query = ownTopic() === '' ? '' : `?topic=${encodeURIComponent(ownTopic())}`;
  elementOf('#blank-curl', HTMLElement).textContent =
    `curl -T picture.png '${new URL('images/picture', document.baseURI).href}${query}'`;
  following = followHere({
    topics: topic,
    onEvent(event) {
      if (event.name === 'gap') return;
      gallery.give(event);
      lightbox.refresh(event.id);
      if (event.name === 'image.ready') said.textContent = `New image ${event.id}`;
    },
  });
}

function topicOfAddress(): string {
  const topic = new URLSearchParams(location.search).get('topic')?.trim() ?? '';
  return /^[^*]+\*?$/.test(topic) ? topic : '*';
}

/** One at a time per button: a generation takes a few seconds. It stays focusable meanwhile. */
function onPress(selector: string, work: () => Promise<unknown>): void {
  const button = elementOf(selector, HTMLButtonElement);
  button.addEventListener('click', async () => {
    if (button.ariaDisabled === 'true') return;
    button.ariaDisabled = 'true';
    try {
      await work();
    } finally {
      button.ariaDisabled = null;
    }
  });
}

elementOf('#follow', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const topic = topicInput.value.trim() || '*';
  history.pushState(null, '', `?${new URLSearchParams({ topic })}`);
  followTopic(topic);
});
addEventListener('popstate', () => followTopic(topicOfAddress()));
onPress('#send', async () => send('Test image', await toJpeg(drawScene(Date.now()))));
onPress('#play', () => playGeneration(newId('generation'), ownTopic(), putStep));
takeFiles((files) => {
  for (const file of files.slice(0, FILES_MAX)) void send(file.name, file);
});
followTopic(topicOfAddress());
