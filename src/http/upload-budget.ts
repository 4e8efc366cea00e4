/** Bytes of request bodies in flight, for the whole process: what bounds memory is their sum, not their count. */
import { AppError } from '../errors.ts';

export interface UploadBudget {
  /** Takes `bytes`, or throws AppError `overloaded`. */
  take(bytes: number): void;
  give(bytes: number): void;
  inFlightBytes(): number;
}

export function createUploadBudget(limitBytes: number): UploadBudget {
  let inFlight = 0;
  return {
    take(bytes) {
      if (inFlight + bytes > limitBytes) {
        throw new AppError('overloaded', 'Too many uploads are in flight; try again after Retry-After.');
      }
      inFlight += bytes;
    },
    give(bytes) {
      inFlight -= bytes;
    },
    inFlightBytes: () => inFlight,
  };
}
