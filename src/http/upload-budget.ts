/** Bytes of request bodies in flight, for the whole process: what bounds memory is their sum, not their count. */
import { AppError } from '../errors.ts';

export interface UploadBudget {
  /** Takes `bytes`, or throws AppError `overloaded`. */
  take(bytes: number): void;
  /** Throws AppError `overloaded` where `bytes` could not be taken now. */
  check(bytes: number): void;
  give(bytes: number): void;
  inFlightBytes(): number;
}

export function createUploadBudget(limitBytes: number): UploadBudget {
  let inFlight = 0;
  function check(bytes: number): void {
    if (inFlight + bytes <= limitBytes) return;
    throw new AppError('overloaded', 'Too many uploads are in flight; try again after Retry-After.');
  }

  return {
    check,
    take(bytes) {
      check(bytes);
      inFlight += bytes;
    },
    give(bytes) {
      inFlight -= bytes;
    },
    inFlightBytes: () => inFlight,
  };
}
