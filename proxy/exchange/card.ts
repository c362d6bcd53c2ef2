// The agent card. In: GET or HEAD of a well-known name under an agent. Out: the agent's card of now, with the gateway's URL in it.
import type { IncomingHttpHeaders } from "node:http";
import { rewriteCard } from "../a2a/card.ts";
import { GET_AGENT_CARD } from "../a2a/operation.ts";
import { requestHeaders } from "../request/headers.ts";
import type { Agent } from "../table/compiled.ts";
import type { Target } from "../upstream/endpoint.ts";
import { ForwardRequest } from "../upstream/forward.ts";
import type { Exchange } from "./exchange.ts";
import { CARD_TIMEOUT_MS } from "./extended-card.ts";
import { fail } from "./fail.ts";
import { awaitFirstByte, markFirstByte } from "./learn.ts";

/** Bytes; above this it is no card. */
const MAX_CARD = 256 * 1024;
/** For an agent that does not say how long its card holds; seconds. */
const DEFAULT_MAX_AGE = 60;

/** The names under which clients look for a card: of 0.3 and 1.0, and of 0.2. */
export const CARD_NAMES = ["/.well-known/agent-card.json", "/.well-known/agent.json"] as const;

/** Whether the path after the agent's base is one of a card. */
export const isCardPath = (rest: string): boolean => rest === CARD_NAMES[0] || rest === CARD_NAMES[1];

/**
 * Reads the card from the agent, in the version that the client asks for, rewrites and serves it. Nothing is cached here: a card may
 * differ by version, and agents change theirs at any time.
 */
export function serveCard(exchange: Exchange, agent: Agent, publicUrl: () => string | undefined): void {
  exchange.binding = "HTTP+JSON";
  exchange.operation = GET_AGENT_CARD;
  const url = publicUrl();
  if (url === undefined) return fail(exchange, "NoPublicUrl");
  awaitCard(exchange);
  read(exchange, agent, 0, (card, caching) => {
    const rewritten = rewriteCard(card, { url });
    if (!rewritten.ok) return fail(exchange, "CardUnavailable", { detail: "It is no agent card." });
    answer(exchange, agent, rewritten, caching);
    exchange.over = true;
  });
}

/** All tries together have this long. */
function awaitCard(exchange: Exchange): void {
  exchange.lateReason = "CardUnavailable";
  exchange.deadline = exchange.startedAt + CARD_TIMEOUT_MS;
}

/** Where the agent may have its card: the path it was given, else under the backend's path. */
function paths(agent: Agent): readonly ((target: Target) => string)[] {
  const { path } = agent.row.card;
  return path === undefined ? CARD_NAMES.map((name) => (target) => `${target.basePath}${name}`) : [() => path];
}

function read(
  exchange: Exchange,
  agent: Agent,
  attempt: number,
  done: (card: Buffer, caching: string | undefined) => void,
): void {
  const { plane, req, trace } = exchange;
  const path = paths(agent)[attempt];
  if (path === undefined) return fail(exchange, "CardUnavailable", { detail: "The agent has none." });
  const chunks: Buffer[] = [];
  let size = 0;
  let status = 0;
  let caching: string | undefined;
  const asked = requestHeaders(cardRequest(req.headers), {
    version: exchange.sentVersion,
    traceparent: trace.traceparent,
    tracestate: trace.continued,
  });
  const forwarding = plane.forward(new ForwardRequest(agent, {}, false, "GET", path, asked, null), {
    chosen(target) {
      exchange.target = target;
    },
    sent() {
      awaitFirstByte(exchange, agent);
      if (exchange.deadline > exchange.startedAt + CARD_TIMEOUT_MS) awaitCard(exchange);
    },
    started(head) {
      awaitCard(exchange);
      ({ status } = head);
      caching = head.value("cache-control");
      if (status >= 300 && status < 400) fail(exchange, "UpstreamRedirect");
    },
    data(chunk) {
      size += chunk.length;
      if (size > MAX_CARD) return fail(exchange, "CardUnavailable", { detail: "It is larger than 256 KiB." });
      chunks.push(chunk);
    },
    ended() {
      if (status === 200) done(Buffer.concat(chunks), caching);
      else if (status === 404 || status === 405 || status === 410) read(exchange, agent, attempt + 1, done);
      else fail(exchange, "CardUnavailable", { detail: `The agent answered with status ${status}.` });
    },
    failed: (reason) => fail(exchange, reason),
  });
  exchange.running = forwarding;
}

/** A GET has no content, whatever the client says. */
function cardRequest(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return { ...headers, "content-type": undefined, accept: "application/json" };
}

function answer(
  exchange: Exchange,
  agent: Agent,
  { body, etag }: { readonly body: Buffer; readonly etag: string },
  caching: string | undefined,
): void {
  const { plane, req, res } = exchange;
  const headers = [
    "content-type",
    "application/json",
    "etag",
    etag,
    "vary",
    varyOf(exchange, agent),
    "cache-control",
    cacheControl(caching, agent.row.card.visibility),
  ];
  if (plane.draining) headers.push("connection", "close");
  exchange.running = undefined;
  markFirstByte(exchange);
  if (matches(req.headers["if-none-match"], etag)) {
    exchange.status = 304;
    res.writeHead(304, headers);
    return res.end();
  }
  exchange.status = 200;
  headers.push("content-length", String(body.length));
  res.writeHead(200, headers);
  if (req.method === "HEAD") return res.end();
  exchange.responseBytes = body.length;
  res.end(body);
}

function varyOf({ plane }: Exchange, agent: Agent): string {
  const names = ["A2A-Version"];
  if (plane.table.gateway.publicUrl === undefined) {
    names.push("Host", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix");
  }
  if (agent.row.card.visibility === "Key") names.push("Authorization");
  return names.join(", ");
}

/** The agent's word on caching holds; but a card that needs a key is not for shared caches. */
function cacheControl(upstream: string | undefined, visibility: "Public" | "Key"): string {
  if (visibility === "Public") return upstream ?? `public, max-age=${DEFAULT_MAX_AGE}`;
  if (upstream !== undefined && /\bno-(?:store|cache)\b/i.test(upstream)) return "private, no-store";
  const age = upstream === undefined ? undefined : /\bmax-age=([0-9]{1,9})\b/i.exec(upstream)?.[1];
  return `private, max-age=${age ?? DEFAULT_MAX_AGE}`;
}

/** If-None-Match compares weakly (RFC 9110 section 13.1.2). */
function matches(condition: string | undefined, etag: string): boolean {
  if (condition === undefined) return false;
  if (condition.trim() === "*") return true;
  const plain = etag.replace(/^W\//, "");
  return condition.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === plain);
}
