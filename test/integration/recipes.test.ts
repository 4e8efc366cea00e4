import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startAzurite } from '../fixtures/azurite.ts';
import { eventually } from '../fixtures/eventually.ts';
import { jpeg } from '../fixtures/images.ts';
import { openRecipe, readRecipe, type Recipe } from '../fixtures/recipe.ts';
import { startRedis } from '../fixtures/redis-server.ts';
import { runApp } from '../fixtures/run-app.ts';

const RECIPES = ['redis-base64', 'azure-blob', 'listings', 'api-results', 'react'];

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function start(settings: Readonly<Record<string, string>>): Promise<string> {
  const app = await runApp(settings);
  closing.push(app.close);
  return app.base;
}

/** Runs every program that prints something, in the order of the page. */
async function follow(recipe: Recipe, env: Readonly<Record<string, string>>): Promise<void> {
  const folder = openRecipe(recipe, env);
  closing.push(folder.close);
  if ('APP_PORT' in env) await eventually(async () => answers(Number(env['APP_PORT'])), 'the app listens');
  for (const { file, prints } of recipe.programs) {
    if (prints !== undefined) expect([file, await folder.run(file)]).toEqual([file, prints]);
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  const isThere = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isThere;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('the recipe of docs/recipes, word for word:', () => {
  it('every page is one of these', () => {
    const pages = readdirSync(new URL('../../docs/recipes/', import.meta.url));
    expect(pages.toSorted()).toEqual(RECIPES.map((name) => `${name}.md`).toSorted());
  });

  it('base64 in Redis', async () => {
    const recipe = readRecipe('redis-base64');
    const redis = await startRedis();
    closing.push(redis.stop);
    const REDIS_PORT = String(redis.port);
    const AFTERIMAGE = await start({ ...recipe.settings, REDIS_PORT });
    await follow(recipe, { AFTERIMAGE, REDIS_PORT });
  });

  it('images in Azure Blob', async () => {
    const recipe = readRecipe('azure-blob');
    const azurite = await startAzurite();
    closing.push(azurite.stop);
    const container = await azurite.container(recipe.settings['AZURE_STORAGE_CONTAINER'] ?? '');
    await container.getBlockBlobClient('encounters/123/image.jpg').uploadData(await jpeg());
    const AZURE_STORAGE_CONNECTION_STRING = azurite.connectionString();
    const AFTERIMAGE = await start({ ...recipe.settings, AZURE_STORAGE_CONNECTION_STRING });
    await follow(recipe, { AFTERIMAGE });
  });

  it('listings', async () => {
    const recipe = readRecipe('listings');
    await follow(recipe, { AFTERIMAGE: await start(recipe.settings) });
  });

  it('listings, through Redis', async () => {
    const recipe = readRecipe('listings');
    const redis = await startRedis();
    closing.push(redis.stop);
    const settings = { ...recipe.settings, REDIS_ENABLED: 'true', REDIS_PORT: String(redis.port) };
    await follow(recipe, { AFTERIMAGE: await start(settings) });
  });

  it('API results', async () => {
    const recipe = readRecipe('api-results');
    const APP_PORT = String(await freePort());
    const upstream = (recipe.settings['API_UPSTREAM'] ?? '').replace('5000', APP_PORT);
    const AFTERIMAGE = await start({ ...recipe.settings, API_UPSTREAM: upstream });
    await follow(recipe, { AFTERIMAGE, APP_PORT });
  });
});
