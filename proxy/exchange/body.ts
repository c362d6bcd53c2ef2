// The body of a request. In: chunks as they arrive. Out: the whole body in one piece, or a refusal; nothing is sent on before the end.
import { ContentCapture } from "../observe/content.ts";
import type { Agent, Key } from "../table/compiled.ts";
import type { BodyListener } from "./client.ts";
import type { Exchange, Running } from "./exchange.ts";
import { fail, failBroken } from "./fail.ts";

/** The first block when a body comes in several chunks; bytes. */
const FIRST_BLOCK = 16 * 1024;

/**
 * Reads the body within the agent's limit, the memory of the key and of the proxy, and the time for bodies.
 *
 * @param push sees each chunk once, in order; called before `done`
 */
export function readBody(
  exchange: Exchange,
  agent: Agent,
  key: Key,
  push: (chunk: Buffer) => void,
  done: (body: Buffer | null) => void,
): void {
  const { plane, req, res } = exchange;
  const announced = Number(req.headers["content-length"] ?? Number.NaN);
  if (announced > agent.row.maxRequestBytes) return fail(exchange, "RequestTooLarge");
  const { logging } = agent.row;
  if (logging.content === "Full") exchange.requestContent = new ContentCapture({ head: logging.maxBytes, tail: 0 });
  exchange.running = new BodyReading(exchange, key, agent.row.maxRequestBytes, announced, push, done);
  exchange.lateReason = "RequestTimeout";
  exchange.deadline = exchange.startedAt + plane.bodyTimeout;
  if (exchange.awaitsContinue) {
    exchange.awaitsContinue = false;
    res.writeContinue();
  }
}

/** Gives back what the exchange holds of the budget. */
export function releaseBody(exchange: Exchange): void {
  const { plane, key, held } = exchange;
  if (held === 0 || key === undefined) return;
  exchange.held = 0;
  plane.buffers.give(key.id, held);
}

/**
 * A body of one chunk is kept as it came; more are copied into one growing block, so that many small chunks cost no more than
 * their bytes.
 */
class BodyReading implements Running, BodyListener {
  readonly #exchange: Exchange;
  readonly #key: Key;
  /** Bytes that a body may have at most, and that it has if it was announced. */
  readonly #limit: number;
  readonly #push: (chunk: Buffer) => void;
  readonly #done: (body: Buffer | null) => void;
  #block: Buffer | null = null;
  #size = 0;

  constructor(
    exchange: Exchange,
    key: Key,
    limit: number,
    announced: number,
    push: (chunk: Buffer) => void,
    done: (body: Buffer | null) => void,
  ) {
    this.#exchange = exchange;
    this.#key = key;
    this.#limit = Number.isNaN(announced) ? limit : announced;
    this.#push = push;
    this.#done = done;
    exchange.req.read(this);
  }

  /** What still comes is thrown away, for as long as the connection lingers. */
  abort(): void {
    this.#exchange.req.read(undefined);
  }

  // Called by the connection's events, where an exception would end the process.

  data(chunk: Buffer): void {
    try {
      this.#take(chunk);
    } catch (error) {
      failBroken(this.#exchange, error);
    }
  }

  end(): void {
    try {
      this.#end();
    } catch (error) {
      failBroken(this.#exchange, error);
    }
  }

  #take(chunk: Buffer): void {
    const exchange = this.#exchange;
    exchange.requestBytes += chunk.length;
    if (exchange.requestBytes > this.#limit) return fail(exchange, "RequestTooLarge");
    if (!this.#append(chunk)) return fail(exchange, "TooManyBuffers");
    exchange.requestContent?.push(chunk);
    this.#push(chunk);
  }

  #append(chunk: Buffer): boolean {
    const block = this.#block;
    if (block === null) {
      this.#block = chunk;
      this.#size = chunk.length;
      return this.#hold(chunk.length);
    }
    const needed = this.#size + chunk.length;
    let roomy = block;
    if (needed > block.length) {
      const capacity = Math.max(needed, Math.min(this.#limit, Math.max(FIRST_BLOCK, block.length * 2)));
      if (!this.#hold(capacity - block.length)) return false;
      roomy = Buffer.allocUnsafeSlow(capacity);
      block.copy(roomy, 0, 0, this.#size);
      this.#block = roomy;
    }
    chunk.copy(roomy, this.#size);
    this.#size = needed;
    return true;
  }

  #hold(bytes: number): boolean {
    const exchange = this.#exchange;
    if (!exchange.plane.buffers.take(this.#key.id, bytes)) return false;
    exchange.held += bytes;
    return true;
  }

  #end(): void {
    const exchange = this.#exchange;
    const block = this.#block;
    exchange.running = undefined;
    exchange.deadline = Infinity;
    this.#block = null;
    this.#done(block === null || block.length === this.#size ? block : block.subarray(0, this.#size));
  }
}
