// The extended card. In: the agent's answer to GetExtendedAgentCard. Out: the same with the gateway's URL in it; for this key alone.
import { createAnswerReader } from "../a2a/answer.ts";
import { rewriteExtendedCard } from "../a2a/card.ts";
import type { AnswerHead } from "../http1/answer-head.ts";
import { responseHeaders } from "../request/headers.ts";
import type { AnswerListener } from "../upstream/forward.ts";
import type { Exchange } from "./exchange.ts";
import { fail } from "./fail.ts";
import { awaitFirstByte, type Call, learn, markFirstByte } from "./learn.ts";

/** An answer with an extended card is read whole; above this it is no card. Bytes. */
const MAX_ANSWER = 256 * 1024;

/** How long a card may take to come; milliseconds. */
export const CARD_TIMEOUT_MS = 10_000;

/** Holds the answer back until it is whole, and rewrites it. An error of the agent passes as it is. */
export function relayExtendedCard(exchange: Exchange, call: Call, publicUrl: () => string | undefined): AnswerListener {
  const { plane, res } = exchange;
  const { binding, operation } = call;
  const reader = createAnswerReader(binding, operation);
  const chunks: Buffer[] = [];
  let size = 0;
  let answered: AnswerHead | undefined;
  return {
    chosen(target) {
      exchange.target = target;
    },
    sent: () => awaitFirstByte(exchange, call.agent),
    started(head) {
      const { status } = head;
      exchange.status = status;
      answered = head;
      if (status >= 300 && status < 400) return fail(exchange, "UpstreamRedirect");
      exchange.lateReason = "CardUnavailable";
      exchange.deadline = plane.monotonic() + CARD_TIMEOUT_MS;
    },
    data(chunk) {
      markFirstByte(exchange);
      size += chunk.length;
      if (size > MAX_ANSWER) return fail(exchange, "InvalidAgentResponse");
      chunks.push(chunk);
      reader.push(chunk);
    },
    ended() {
      const answer = Buffer.concat(chunks);
      const url = publicUrl();
      const isError = exchange.status >= 400;
      const rewritten = rewriteExtendedCard(answer, binding, { url: url ?? "" });
      if (!rewritten.ok && !isError) return fail(exchange, "InvalidAgentResponse");
      const body = rewritten.ok ? rewritten.body : answer;
      // An error tells nothing that a URL would be needed for, unless it is a card after all.
      if (url === undefined && !(isError && body.equals(answer))) return fail(exchange, "NoPublicUrl");
      const seen = reader.end();
      if (seen !== undefined) learn(exchange, call, seen);
      exchange.running = undefined;
      exchange.responseBytes = body.length;
      const passed = answered === undefined ? [] : responseHeaders(answered, "cache-control");
      passed.push("cache-control", "private, no-store", "content-length", String(body.length));
      if (plane.draining) passed.push("connection", "close");
      res.writeHead(exchange.status, passed);
      res.end(body);
      exchange.over = true;
    },
    failed: (reason) => fail(exchange, reason),
  };
}
