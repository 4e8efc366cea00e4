/**
 * Who may follow events: a JWT in the Authorization header or a cookie, or a single-use ticket bought
 * with one, since EventSource cannot set headers and a token in a URL ends up in logs (RFC 9700 4.3.2).
 * The algorithm is pinned by the configuration, never read from the token.
 */
import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { GRANT_ALL, type Grant, type TicketStore } from '../core/grant.ts';
import { AppError } from '../errors.ts';
import type { Request } from './exchange.ts';

/** A JWKS (RFC 7517 5). */
export type KeySet = JSONWebKeySet;

export interface SubscribeAccessOptions {
  readonly secret: string;
  readonly jwks: KeySet | undefined;
  readonly jwksAlgorithm: string;
}

export interface Ticket {
  readonly ticket: string;
  readonly expires_in: number;
}

export interface SubscribeAccess {
  /** What the request may follow; AppError token_missing. Takes the ticket, if there is one, out of use. */
  grantOf(request: Request): Promise<Grant>;
  /** A ticket with the rights of the request's token; AppError token_missing, overloaded. */
  issueTicket(request: Request): Promise<Ticket>;
}

const COOKIE = 'afterimage_token';
const TICKET_LIFE_MS = 30_000;
const TICKETS_MAX = 10_000;
const CLOCK_TOLERANCE_S = 5;

const Claims = z.object({
  topics: z.array(z.string()).min(1).max(100),
  inline_full: z.boolean().default(true),
  exp: z.number(),
});

function tokenOf(request: Request): string {
  const [, bearer] = /^Bearer (.+)$/i.exec(request.header('authorization')) ?? [];
  if (bearer !== undefined) return bearer;
  const cookies = request
    .header('cookie')
    .split(';')
    .map((cookie) => cookie.trim());
  const cookie = cookies.find((text) => text.startsWith(`${COOKIE}=`));
  return cookie === undefined ? '' : cookie.slice(COOKIE.length + 1);
}

type Verify = (token: string) => Promise<JWTPayload>;

function createVerify(options: SubscribeAccessOptions): Verify | undefined {
  const required = { requiredClaims: ['exp'], clockTolerance: CLOCK_TOLERANCE_S };
  if (options.jwks !== undefined) {
    const keys = createLocalJWKSet(options.jwks);
    const algorithms = [options.jwksAlgorithm];
    return async (token) => (await jwtVerify(token, keys, { ...required, algorithms })).payload;
  }
  if (options.secret === '') return undefined;
  const key = new TextEncoder().encode(options.secret);
  return async (token) => (await jwtVerify(token, key, { ...required, algorithms: ['HS256'] })).payload;
}

interface KeptTicket {
  /** Undefined: it is in the shared store. */
  readonly grant: Grant | undefined;
  readonly expiresAtMs: number;
}

/** `shared` undefined, or away: a ticket is good on this instance alone. */
export function createSubscribeAccess(
  options: SubscribeAccessOptions,
  clock: Clock,
  shared?: TicketStore,
): SubscribeAccess {
  const verify = createVerify(options);
  /** In the order of issue, which is the order of expiry. */
  const tickets = new Map<string, KeptTicket>();

  const dropExpired = (): void => {
    for (const [ticket, { expiresAtMs }] of tickets) {
      if (expiresAtMs > clock.nowMs()) return;
      tickets.delete(ticket);
    }
  };

  const useTicket = async (ticket: string): Promise<Grant> => {
    dropExpired();
    const kept = tickets.get(ticket);
    tickets.delete(ticket);
    const grant = kept?.grant ?? (await shared?.take(ticket).catch(() => undefined));
    if (grant === undefined)
      throw new AppError('token_missing', 'The ticket is used up, expired or unknown.');
    return grant;
  };

  const grantOfToken = async (request: Request): Promise<Grant> => {
    if (verify === undefined) return GRANT_ALL;
    // Whatever is wrong with a token, its sender learns only that it does not do.
    const claims = await verify(tokenOf(request)).then(
      (payload) => Claims.safeParse(payload),
      () => undefined,
    );
    if (claims?.success !== true)
      throw new AppError('token_missing', 'Send a valid token that names its topics.');
    const { topics, inline_full: inlineFull, exp } = claims.data;
    return { filters: topics, inlineFull, expiresAtMs: exp * 1000 };
  };

  return {
    async grantOf(request) {
      const ticket = new URLSearchParams(request.query).get('ticket');
      return ticket === null || verify === undefined ? grantOfToken(request) : useTicket(ticket);
    },
    async issueTicket(request) {
      const grant = await grantOfToken(request);
      dropExpired();
      if (tickets.size >= TICKETS_MAX) throw new AppError('overloaded', 'Too many tickets are out.');
      const ticket = randomBytes(24).toString('base64url');
      const expiresAtMs = clock.nowMs() + TICKET_LIFE_MS;
      // Counted here before it is kept there: the limit holds for those that are under way too.
      tickets.set(ticket, { grant: undefined, expiresAtMs });
      const isShared = await shared?.put(ticket, grant, TICKET_LIFE_MS).then(
        () => true,
        () => false,
      );
      if (isShared !== true) tickets.set(ticket, { grant, expiresAtMs });
      return { ticket, expires_in: TICKET_LIFE_MS / 1000 };
    },
  };
}
