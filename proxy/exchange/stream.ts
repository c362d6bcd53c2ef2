// A stream of server-sent events on its way to the client. In: chunks from upstream. Out: the same bytes at once, and a clear end.
import type { IncomingHttpHeaders } from "node:http";
import { errorEvent } from "../a2a/error-body.ts";
import { createEventReader } from "../a2a/events.ts";
import { responseHeaders } from "../request/headers.ts";
import type { AnswerListener, Forwarding } from "../upstream/forward.ts";
import type { Exchange } from "./exchange.ts";
import { fail } from "./fail.ts";
import { type Call, learn, markFirstByte } from "./learn.ts";

/** How long a client that does not read may keep a stream that was cut; milliseconds. */
const CUT_GRACE_MS = 500;

/** States in which an agent may close the stream though the task goes on. */
const INTERRUPTED: ReadonlySet<string> = new Set(["input-required", "auth-required"]);

/** Relays a stream: unbuffered, byte for byte. Sends the head at once. */
export function relayStream(
  exchange: Exchange,
  call: Call,
  upstream: Forwarding,
  status: number,
  upstreamHeaders: IncomingHttpHeaders,
): Pick<AnswerListener, "data" | "ended" | "failed"> {
  const { plane, res } = exchange;
  const { agent, binding, operation } = call;
  const idle = agent.row.timeouts.streamIdle;
  const reader = createEventReader(binding, operation, (seen) => learn(exchange, call, seen));
  // Without a length or chunks the end of the connection ends the body: then a broken stream looks like a whole one.
  const endsWithConnection =
    upstreamHeaders["transfer-encoding"] === undefined && upstreamHeaders["content-length"] === undefined;

  exchange.streaming = true;
  exchange.lateReason = "StreamIdle";
  exchange.cutStream = cut;
  touch();
  plane.metrics.streamOpened(agent.id);
  res.once("close", () => plane.metrics.streamClosed(agent.id));
  res.writeHead(status, streamHeaders(upstreamHeaders, plane.draining));
  res.flushHeaders();

  function touch(): void {
    exchange.deadline = idle === 0 ? Infinity : plane.clock.now() + idle;
  }

  function cut(reason: Parameters<typeof errorEvent>[1]): void {
    // In the middle of an event nothing can be said that the client would read; a broken end it will notice.
    if (reader.betweenEvents) res.write(errorEvent(binding, reason, { id: exchange.rpcId, version: exchange.version }));
    const { socket } = res;
    if (socket === null) return;
    // Node passes what was written on after this turn; only then may the end follow.
    process.nextTick(() => socket.destroySoon());
    plane.lingering.add(socket, plane.clock.now() + CUT_GRACE_MS);
  }

  function end(): void {
    exchange.over = true;
    exchange.stop = undefined;
    exchange.deadline = Infinity;
    res.end();
  }

  return {
    data(chunk) {
      markFirstByte(exchange);
      touch();
      exchange.responseBytes += chunk.length;
      exchange.responseContent?.push(chunk);
      reader.push(chunk);
      exchange.events = reader.events;
      if (res.write(chunk)) return;
      upstream.pause();
      // Now it is the client that is slow.
      exchange.deadline = Infinity;
      res.once("drain", () => {
        touch();
        upstream.resume();
      });
    },
    ended() {
      const done = reader.terminal || (exchange.state !== undefined && INTERRUPTED.has(exchange.state));
      if (endsWithConnection && !done) fail(exchange, "UpstreamReset");
      else end();
    },
    failed(reason) {
      // After the last event a broken connection takes nothing away.
      if (reader.terminal && reader.betweenEvents) end();
      else fail(exchange, reason);
    },
  };
}

function streamHeaders(upstream: IncomingHttpHeaders, draining: boolean): string[] {
  const headers = responseHeaders(upstream).slice();
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (headers[index] === "cache-control") headers.splice(index, 2);
  }
  headers.push("cache-control", "no-cache", "x-accel-buffering", "no");
  if (draining) headers.push("connection", "close");
  return headers;
}
