import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, type TestBrowser } from '../browser/open-browser.ts';
import { png, webp } from '../fixtures/images.ts';
import { readRecipe } from '../fixtures/recipe.ts';
import { runApp, type RunningApp } from '../fixtures/run-app.ts';

/** The three functions of React that the recipe uses, for one component: React itself is no dependency. */
const REACT = `
let component, props, root, state, cleanUp, effectOf;
export const createElement = (type, props, ...children) => ({ type, props, children: children.flat() });
export function useState(initial) {
  state ??= { value: initial };
  return [state.value, (change) => { state.value = change(state.value); render(); }];
}
export function useEffect(effect, watched) {
  const key = JSON.stringify(watched);
  if (key !== effectOf) { cleanUp?.(); effectOf = key; cleanUp = effect(); }
}
function toNode({ type, props: { key, ...rest }, children }) {
  const node = document.createElement(type);
  for (const [name, value] of Object.entries(rest)) node.setAttribute(name, value);
  node.append(...children.map(toNode));
  return node;
}
function render() { root.replaceChildren(toNode(component(props))); }
export function mount(...given) { [component, props, root] = given; render(); }
`;

let app: RunningApp;
let browser: TestBrowser;
const page = createServer((request, response) => {
  const imports = { react: '/react.js', 'afterimage/client': `${app.base}/client.js` };
  const body = {
    '/': `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script><div id="root"></div>
      <script type="module">
        import { Generation } from '/generation.mjs';
        import { mount } from 'react';
        mount(Generation, { job: 42, url: '${app.base}' }, document.getElementById('root'));
      </script>`,
    '/react.js': REACT,
    '/generation.mjs': readRecipe('react').programs[0]?.text,
  }[request.url ?? ''];
  const type = request.url === '/' ? 'text/html' : 'text/javascript';
  response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': type }).end(body);
});

beforeAll(async () => {
  app = await runApp();
  browser = await openBrowser();
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
});
afterAll(async () => {
  await browser.close();
  page.close();
  await app.close();
});

it('shows each image of its job as it is made: the partial, and the final in its place', async () => {
  const address = page.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { page: shown, mistakes } = await browser.open(`http://127.0.0.1:${port}/`);
  await expect.poll(() => app.metric('subscribers'), { timeout: 10_000 }).toBe(1);
  await app.put('concept_0', await webp(), { query: '?topic=job:42&partial=0', type: 'image/webp' });
  const image = shown.locator('img[alt="concept_0"]');
  await expect.poll(() => image.getAttribute('src'), { timeout: 10_000 }).toContain('partial');
  const { url } = await (await app.put('concept_0', await png(), { query: '?topic=job:42' })).json();
  await expect.poll(() => image.getAttribute('src'), { timeout: 10_000 }).toBe(`${app.base}${url}`);
  await app.put('concept_1', await png(), { query: '?topic=job:42' });
  await app.put('other', await png(), { query: '?topic=job:43' });
  await app.put('concept_2', await png(), { query: '?topic=job:42' });
  await shown.locator('img[alt="concept_2"]').waitFor();
  expect(await shown.locator('img').count()).toBe(3);
  expect(mistakes).toEqual([]);
});
