// The way of one request. In: request and response. Out: the exchange is judged, step by step, and handed to a call or to the card.
import { isLocalAuthority } from "../../process/listen-address.ts";
import { type KeyFault, authenticate } from "../request/authenticate.ts";
import { authorizeAgent } from "../request/authorize.ts";
import { requestedVersion } from "../request/headers.ts";
import { publicBase } from "../request/public-url.ts";
import { parseTarget, type Target } from "../request/target.ts";
import type { Agent, Table } from "../table/compiled.ts";
import { releaseBody } from "./body.ts";
import { callHttpJson, callJsonRpc } from "./call.ts";
import { isCardPath, serveCard } from "./card.ts";
import type { ClientRequest, ClientResponse } from "./client.ts";
import { Exchange, type Plane } from "./exchange.ts";
import { fail, failBroken } from "./fail.ts";
import { recordOf } from "./record.ts";

/** How long the rest of a refused body may still come in before the connection is closed; milliseconds. */
const LINGER_MS = 5000;

type FoundTarget = Extract<Target, { ok: true }>;

/** Serves a request to its end; never throws: a fault of ours is an answer with 500, here and in each step that comes later. */
export function handle(plane: Plane, req: ClientRequest, res: ClientResponse, awaitsContinue = false): void {
  const exchange = new Exchange(plane, req, res, awaitsContinue);
  plane.open.add(exchange);
  res.onClose(() => close(exchange));
  try {
    judge(exchange);
  } catch (error) {
    failBroken(exchange, error);
  }
}

function judge(exchange: Exchange): void {
  const { plane, req } = exchange;
  const { table } = plane;
  if (hasDoubledHeader(req.rawHeaders, req.headers.host === undefined && req.httpVersion !== "1.0")) {
    return fail(exchange, "MalformedRequest", {
      close: true,
      detail: "A header that may stand once is missing or doubled.",
    });
  }
  const target = parseTarget(req.url);
  const isCard = target.ok && isCardPath(target.rest);
  if (target.ok) exchange.binding = isJsonRpcPath(target.rest) ? "JSONRPC" : "HTTP+JSON";
  const isRead = req.method === "GET" || req.method === "HEAD";
  if (isRead && req.bodyFollows) {
    return fail(exchange, "MalformedRequest", { close: true, detail: "GET and HEAD have no body." });
  }
  if (!table.complete) return fail(exchange, "NotReady");
  const agent = target.ok ? agentOf(target, table) : undefined;
  const version = requestedVersion(req.headers, target.ok ? target.query : "");
  if (version.ok) {
    exchange.version = version.version;
    exchange.sentVersion = version.version;
  }
  if (isCard && isRead && agent?.row.card.visibility === "Public") {
    exchange.agent = agent;
    return serveCard(exchange, agent, () => publicUrl(exchange, target));
  }

  const known = authenticate(req.headers.authorization, table, exchange.time, plane.loopback, plane.digests);
  exchange.key = known.key;
  if (!known.ok) return failKey(exchange, known.fault);
  const { key } = known;
  // A web page can make its own name mean this machine; then the browser sends that name.
  if (key.row.loopbackOnly === true && !isLocalAuthority(req.headers.host)) return failKey(exchange, "LoopbackOnly");
  if (!target.ok) return fail(exchange, target.reason);
  const decision = authorizeAgent(key, agent, table);
  if (!decision.ok) {
    // A refusal is the agent's only if its card tells that it exists.
    if (decision.reason === "AgentNotGranted") exchange.agent = agent;
    return fail(exchange, decision.reason);
  }
  exchange.agent = decision.agent;
  if (!version.ok) return fail(exchange, "InvalidPath");
  const url = (): string | undefined => publicUrl(exchange, target);
  if (isCard) {
    exchange.operation = "GetAgentCard";
    return isRead
      ? serveCard(exchange, decision.agent, url)
      : fail(exchange, "MethodNotAllowed", { allow: "GET, HEAD" });
  }
  if (isJsonRpcPath(target.rest)) return callJsonRpc(exchange, decision.agent, key, url);
  callHttpJson(exchange, decision.agent, key, target, url);
}

/** The client is told that a valid key is required, and no more; the record says why. */
function failKey(exchange: Exchange, fault: KeyFault): void {
  exchange.keyFault = fault;
  fail(exchange, "Unauthenticated");
}

/** The agent's URL takes JSON-RPC; so do the two paths that spell a method, though the body decides what it is. */
function isJsonRpcPath(rest: string): boolean {
  return (
    rest === "" ||
    rest === "/" ||
    rest === "/message/send" ||
    rest === "/message/stream" ||
    rest === "/message/send/" ||
    rest === "/message/stream/"
  );
}

function agentOf(target: FoundTarget, table: Table): Agent | undefined {
  if (target.publicName !== undefined) return table.agentByPublicName(target.publicName);
  const { namespace, name } = target;
  return namespace === undefined || name === undefined ? undefined : table.agentByName(namespace, name);
}

/** The agent's URL in the form that the client used. */
function publicUrl({ plane, req }: Exchange, target: FoundTarget): string | undefined {
  const base = publicBase(req.headers, req.socket.remoteAddress ?? "", plane.table.gateway, plane.loopback);
  if (base === undefined) return undefined;
  return target.publicName === undefined
    ? `${base}/ns/${target.namespace}/a2a/${target.name}`
    : `${base}/a2a/${target.publicName}`;
}

/** By name the first of a doubled Host and Authorization is found; what is in front of us may have taken the other. */
function hasDoubledHeader(rawHeaders: readonly string[], hostMissing: boolean): boolean {
  let hosts = 0;
  let credentials = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
    else if (name.length === 13 && name.toLowerCase() === "authorization") credentials++;
  }
  return hostMissing || hosts > 1 || credentials > 1;
}

function close(exchange: Exchange): void {
  const { plane, req, running, stream } = exchange;
  exchange.over = true;
  exchange.running = undefined;
  // The client left: so does the request to the agent.
  running?.abort();
  stream?.closed();
  plane.open.remove(exchange);
  releaseBody(exchange);
  if (!req.complete && !req.socket.destroyed) {
    plane.lingering.add(req.socket, plane.monotonic() + LINGER_MS, () => req.complete);
  }
  plane.finished(recordOf(exchange));
}
