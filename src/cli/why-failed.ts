/** Why a request got no answer, in one sentence: fetch hides it one level down. */

export function whyFailed(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  const cause: unknown = error.cause;
  if (!(cause instanceof Error)) return error.message;
  // A host with several addresses fails with an AggregateError, whose message is empty.
  return cause.message || String((cause as { code?: unknown }).code ?? error.message);
}
