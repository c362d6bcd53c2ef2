// W3C Trace Context. In: the traceparent header and random bytes. Out: the trace id, and the traceparent for the agent.

export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** What the agent gets: the same trace, with a span of ours as parent. */
  readonly traceparent: string;
  /** Whether the client's header was valid: only then does its tracestate go on (Trace Context section 3.3). */
  readonly continued: boolean;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const noTrace = "0".repeat(32);
const noSpan = "0".repeat(16);

/**
 * Reads a traceparent (Trace Context Level 2 section 3.2): lower-case hex, ids not all zero, version not ff; version 00 has nothing
 * behind the flags, later versions may.
 */
export function parseTraceparent(
  value: string | readonly string[] | undefined,
): { readonly traceId: string; readonly parentId: string; readonly flags: number } | undefined {
  if (typeof value !== "string" || value.length < 55 || value.length > 512) return undefined;
  const match = form.exec(value);
  if (match === null) return undefined;
  const [, version, traceId = noTrace, parentId = noSpan, flags = "00", more] = match;
  if (version === "ff" || traceId === noTrace || parentId === noSpan) return undefined;
  if (version === "00" && more !== undefined) return undefined;
  return { traceId, parentId, flags: Number.parseInt(flags, 16) };
}

/** How many random bytes are drawn at once: one call of the source serves some hundred requests. */
const POOL = 4096;

/**
 * Makes trace contexts. A valid client's trace is continued with its flags (sampled and random, the two that are known); else a new,
 * unsampled one begins.
 *
 * @param fill fills the buffer with random bytes, as `crypto.randomFillSync`
 */
export function createTracer(fill: (buffer: Uint8Array) => void): {
  next(header: string | readonly string[] | undefined): TraceContext;
} {
  const pool = Buffer.allocUnsafe(POOL);
  let used = POOL;

  function digits(bytes: number): string {
    if (used + bytes > POOL) {
      fill(pool);
      used = 0;
    }
    const from = used;
    used += bytes;
    return pool.toString("hex", from, used);
  }

  /** All zero is invalid; a source that gives only zeros is broken, not to be waited for. */
  const valid = (id: string): string => (id.startsWith("0000") && /^0+$/.test(id) ? `${id.slice(0, -1)}1` : id);

  return {
    next(header) {
      const parent = parseTraceparent(header);
      if (parent === undefined) {
        const both = digits(24);
        const traceId = valid(both.slice(0, 32));
        return { traceId, traceparent: `00-${traceId}-${valid(both.slice(32))}-02`, continued: false };
      }
      const flags = `0${parent.flags & 3}`;
      return {
        traceId: parent.traceId,
        traceparent: `00-${parent.traceId}-${valid(digits(8))}-${flags}`,
        continued: true,
      };
    },
  };
}
