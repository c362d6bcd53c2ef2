// The body of a request. In: chunks as they arrive. Out: the whole body in one piece, or a refusal; nothing is sent on before the end.
import { createContentCapture } from "../observe/content.ts";
import type { Agent, Key } from "../table/compiled.ts";
import type { Exchange } from "./exchange.ts";
import { fail } from "./fail.ts";

/** The first block when a body comes in several chunks; bytes. */
const FIRST_BLOCK = 16 * 1024;

/** Whether the request says that it has a body (RFC 9112 section 6.3). */
export function announcesBody(headers: Exchange["req"]["headers"]): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/**
 * Reads the body within the agent's limit, the memory of the key and of the proxy, and the time for bodies. A body of one chunk is
 * kept as it came; more are copied into one growing block, so that many small chunks cost no more than their bytes.
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
  const { plane, req } = exchange;
  const limit = agent.row.maxRequestBytes;
  const announced = Number(req.headers["content-length"] ?? Number.NaN);
  if (announced > limit) return fail(exchange, "RequestTooLarge");
  const { logging } = agent.row;
  if (logging.content === "Full") exchange.requestContent = createContentCapture(logging.maxBytes);

  let block: Buffer | null = null;
  let size = 0;

  function hold(bytes: number): boolean {
    if (!plane.buffers.take(key.id, bytes)) return false;
    exchange.held += bytes;
    return true;
  }

  function append(chunk: Buffer): boolean {
    if (block === null) {
      block = chunk;
      size = chunk.length;
      return hold(chunk.length);
    }
    const needed = size + chunk.length;
    if (needed > block.length) {
      // What was announced is the most that can come; without it the block doubles up to the limit.
      const most = Number.isNaN(announced) ? limit : announced;
      const capacity = Math.max(needed, Math.min(most, Math.max(FIRST_BLOCK, block.length * 2)));
      if (!hold(capacity - block.length)) return false;
      const larger = Buffer.allocUnsafeSlow(capacity);
      block.copy(larger, 0, 0, size);
      block = larger;
    }
    chunk.copy(block, size);
    size = needed;
    return true;
  }

  function onData(chunk: Buffer): void {
    exchange.requestBytes += chunk.length;
    if (exchange.requestBytes > limit) return fail(exchange, "RequestTooLarge");
    if (!append(chunk)) return fail(exchange, "TooManyBuffers");
    exchange.requestContent?.push(chunk);
    push(chunk);
  }

  function onEnd(): void {
    stop();
    exchange.stop = undefined;
    exchange.deadline = Infinity;
    done(block === null ? null : block.length === size ? block : block.subarray(0, size));
  }

  function stop(): void {
    req.off("data", onData);
    req.off("end", onEnd);
    // What still comes is thrown away, for as long as the connection lingers.
    if (!req.readableEnded) req.resume();
  }

  exchange.stop = stop;
  exchange.lateReason = "RequestTimeout";
  exchange.deadline = exchange.time + plane.bodyTimeout;
  req.on("data", onData);
  req.on("end", onEnd);
  if (exchange.awaitsContinue) {
    exchange.awaitsContinue = false;
    exchange.res.writeContinue();
  }
}
