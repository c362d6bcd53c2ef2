// The API server's refusals (metav1.Status). In: a parsed answer. Out: code, reason and message of it.

export interface Refusal {
  readonly code: number;
  /** As `Expired`, `NotFound`, `AlreadyExists`, `Conflict`, `Forbidden`. */
  readonly reason: string;
  readonly message: string;
}

/** Reads a Status object; what it does not say is taken from the HTTP status. */
export function refusalOf(status: number, body: unknown): Refusal {
  const from = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const { code, reason, message } = from;
  return {
    code: typeof code === "number" ? code : status,
    reason: typeof reason === "string" ? reason : `HTTP ${status}`,
    message: typeof message === "string" ? message.slice(0, 500) : "",
  };
}
