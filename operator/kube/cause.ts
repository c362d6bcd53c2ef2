// Why there was no answer. In: what a request threw. Out: a sentence.

/** What an error of I/O says, with its cause. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}
