// W3C Trace Context. In: the traceparent header and random bytes. Out: the trace id, and the traceparent for the agent.

export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** What the agent gets: the same trace, with a span of ours as parent. */
  readonly traceparent: string;
  /** Whether the client's header was valid: only then does its tracestate go on (Trace Context section 3.3). */
  readonly continued: boolean;
  /** Whether somebody records spans of it: the client, or this gateway. */
  readonly sampled: boolean;
  /** Spans that this gateway records; undefined: none. */
  readonly spans: TraceSpans | undefined;
}

/** Ids of 16 hex digits. */
export interface TraceSpans {
  /** Of the client's request; its parent is the client's span, if there is one. */
  readonly server: string;
  readonly parent: string | undefined;
  /** Of the request to the agent: it stands in `traceparent`. */
  readonly upstream: string;
}

/** Which traces are recorded, as OTEL_TRACES_SAMPLER says. */
export interface Sampling {
  /** A client's decision is followed. */
  readonly parentBased: boolean;
  /** Share of the traces that begin here, or of all. */
  readonly ratio: number;
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

/** Hex digits of the bits that sampling goes by. */
const DIGITS = 14;

/** The least of them that is picked: digits of equal number have the order of their numbers. Undefined: none is. */
function leastPicked(ratio: number): string | undefined {
  const least = BigInt(Math.ceil((1 - ratio) * 2 ** 56));
  return least < 2n ** 56n ? least.toString(16).padStart(DIGITS, "0") : undefined;
}

/** How many random bytes are drawn at once: one call of the source serves some hundred requests. */
const POOL = 4096;

/**
 * Makes trace contexts. A valid client's trace is continued with its flags (sampled and random, the two that are known); else a new one
 * begins.
 *
 * @param fill fills the buffer with random bytes, as `crypto.randomFillSync`
 * @param sampling absent: nothing is recorded here, and a trace that begins here is not sampled
 */
export function createTracer(
  fill: (buffer: Uint8Array) => void,
  sampling?: Sampling,
): { next(header: string | readonly string[] | undefined): TraceContext } {
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

  const least = sampling === undefined ? undefined : leastPicked(sampling.ratio);
  /** By the last 56 bits of the id, which Level 2 has random: so that all who sample agree. */
  const isPicked = (traceId: string): boolean => least !== undefined && traceId.slice(-DIGITS) >= least;

  /** With its two spans if it is recorded here; the flags are all but `sampled`. */
  function context(
    traceId: string,
    id: string,
    parent: string | undefined,
    sampled: boolean,
    flags: number,
  ): TraceContext {
    const spans = sampled && sampling !== undefined ? { server: valid(digits(8)), parent, upstream: id } : undefined;
    const traceparent = `00-${traceId}-${id}-0${flags | (sampled ? 1 : 0)}`;
    return { traceId, traceparent, continued: parent !== undefined, sampled, spans };
  }

  return {
    next(header) {
      const parent = parseTraceparent(header);
      if (parent === undefined) {
        const both = digits(24);
        const traceId = valid(both.slice(0, 32));
        return context(traceId, valid(both.slice(32)), undefined, isPicked(traceId), 2);
      }
      const follows = sampling === undefined || sampling.parentBased;
      const sampled = follows ? (parent.flags & 1) === 1 : isPicked(parent.traceId);
      return context(parent.traceId, valid(digits(8)), parent.parentId, sampled, parent.flags & 2);
    },
  };
}
