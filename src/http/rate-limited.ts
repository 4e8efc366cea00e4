/** The one error that brings headers of its own: what the client had, and when it may come again. */
import { AppError } from '../errors.ts';
import type { Headers } from './exchange.ts';

export class RateLimited extends AppError {
  readonly headers: Headers;

  constructor(detail: string, headers: Headers) {
    super('rate_limited', detail);
    this.headers = headers;
  }
}
