import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import type { Grant } from '../../../src/core/grant.ts';
import type { Request } from '../../../src/http/exchange.ts';
import { createSubscribeAccess } from '../../../src/http/subscribe-access.ts';

const SECRET = 'a secret that is long enough for HS256!';
const NONE = { secret: '', jwks: undefined, jwksAlgorithm: 'RS256' };
const key = new TextEncoder().encode(SECRET);

function request(headers: Record<string, string> = {}, query = ''): Request {
  return {
    method: 'GET',
    path: '/events',
    query,
    header: (name) => headers[name] ?? '',
    headers: new Map(Object.entries(headers)),
    clientAddress: () => '',
    peerAddress: () => '',
  };
}

async function sign(claims: Record<string, unknown>, alg = 'HS256'): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg }).setExpirationTime('1h').sign(key);
}

function setUp() {
  const clock = { now: Date.now(), nowMs: () => clock.now };
  return { clock, access: createSubscribeAccess({ ...NONE, secret: SECRET }, clock) };
}

test('without a secret anybody may follow everything', async () => {
  const access = createSubscribeAccess(NONE, { nowMs: () => 0 });
  expect(await access.grantOf(request())).toEqual({ filters: ['*'], inlineFull: true, expiresAtMs: 0 });
});

test('a token in the header or in the cookie grants its topics until it expires', async () => {
  const { access } = setUp();
  const token = await sign({ topics: ['job:*'], inline_full: false });
  for (const headers of [
    { authorization: `Bearer ${token}` },
    { cookie: `a=b; afterimage_token=${token}` },
  ]) {
    const grant = await access.grantOf(request(headers));
    expect(grant).toMatchObject({ filters: ['job:*'], inlineFull: false });
    expect(grant.expiresAtMs).toBeGreaterThan(Date.now());
  }
});

test('no token, a token without topics, without exp, with another secret or algorithm: all refused alike', async () => {
  const { access } = setUp();
  const tokens = [
    '',
    'x.y.z',
    await sign({}),
    await new SignJWT({ topics: ['a'] }).setProtectedHeader({ alg: 'HS256' }).sign(key),
    await new SignJWT({ topics: ['a'] })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode('another secret, also long enough for it')),
    await sign({ topics: ['a'] }, 'HS384'),
  ];
  for (const token of tokens) {
    await expect(access.grantOf(request({ authorization: `Bearer ${token}` }))).rejects.toMatchObject({
      code: 'token_missing',
    });
  }
});

test('a ticket is good once, and not for long', async () => {
  const { access, clock } = setUp();
  const headers = { authorization: `Bearer ${await sign({ topics: ['job:1'] })}` };
  const { ticket } = await access.issueTicket(request(headers));
  expect((await access.grantOf(request({}, `ticket=${ticket}`))).filters).toEqual(['job:1']);
  await expect(access.grantOf(request({}, `ticket=${ticket}`))).rejects.toMatchObject({
    code: 'token_missing',
  });
  const late = await access.issueTicket(request(headers));
  clock.now += 30_000;
  await expect(access.grantOf(request({}, `ticket=${late.ticket}`))).rejects.toMatchObject({
    code: 'token_missing',
  });
  await expect(access.issueTicket(request())).rejects.toMatchObject({ code: 'token_missing' });
});

function sharedStore() {
  const kept = new Map<string, Grant>();
  const store = {
    isAway: false,
    put: async (ticket: string, grant: Grant) => {
      if (store.isAway) throw new Error('away');
      kept.set(ticket, grant);
    },
    take: async (ticket: string) => {
      if (store.isAway) throw new Error('away');
      const grant = kept.get(ticket);
      kept.delete(ticket);
      return grant;
    },
  };
  return store;
}

test('a ticket of one instance is good at another, and then at none', async () => {
  const store = sharedStore();
  const clock = { nowMs: () => Date.now() };
  const [one, other] = [0, 1].map(() => createSubscribeAccess({ ...NONE, secret: SECRET }, clock, store));
  const headers = { authorization: `Bearer ${await sign({ topics: ['job:1'] })}` };
  const paper = await one?.issueTicket(request(headers));
  const withTicket = request({}, `ticket=${paper?.ticket}`);
  expect(await other?.grantOf(withTicket)).toMatchObject({ filters: ['job:1'], inlineFull: true });
  for (const access of [one, other]) {
    await expect(access?.grantOf(withTicket)).rejects.toMatchObject({ code: 'token_missing' });
  }
});

test('while the shared store is away a ticket is good once where it was given', async () => {
  const store = sharedStore();
  const clock = { nowMs: () => Date.now() };
  const [one, other] = [0, 1].map(() => createSubscribeAccess({ ...NONE, secret: SECRET }, clock, store));
  store.isAway = true;
  const headers = { authorization: `Bearer ${await sign({ topics: ['job:1'] })}` };
  const paper = await one?.issueTicket(request(headers));
  const withTicket = request({}, `ticket=${paper?.ticket}`);
  await expect(other?.grantOf(withTicket)).rejects.toMatchObject({ code: 'token_missing' });
  expect(await one?.grantOf(withTicket)).toMatchObject({ filters: ['job:1'] });
  await expect(one?.grantOf(withTicket)).rejects.toMatchObject({ code: 'token_missing' });
});

test('a key set takes tokens of its pinned algorithm only', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwks = { keys: [await exportJWK(publicKey)] };
  const token = await new SignJWT({ topics: ['a'] })
    .setProtectedHeader({ alg: 'ES256' })
    .setExpirationTime('1h')
    .sign(privateKey);
  const headers = { authorization: `Bearer ${token}` };
  const clock = { nowMs: () => Date.now() };
  const good = createSubscribeAccess({ secret: '', jwks, jwksAlgorithm: 'ES256' }, clock);
  expect((await good.grantOf(request(headers))).filters).toEqual(['a']);
  const pinned = createSubscribeAccess({ secret: '', jwks, jwksAlgorithm: 'RS256' }, clock);
  await expect(pinned.grantOf(request(headers))).rejects.toMatchObject({ code: 'token_missing' });
});
