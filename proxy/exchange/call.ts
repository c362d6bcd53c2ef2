// A call of an operation, in either binding. In: an authorized agent and key. Out: body read and judged, operation authorized, sent.
import { createEnvelopeReader } from "../a2a/envelope.ts";
import { EXTENSION, type Operation } from "../a2a/operation.ts";
import { createRestBodyReader } from "../a2a/rest-body.ts";
import { parseRestRequest } from "../a2a/rest.ts";
import { authorizeOperation } from "../request/authorize.ts";
import { isReadable, requestHeaders } from "../request/headers.ts";
import type { Agent, Key } from "../table/compiled.ts";
import type { Target } from "../upstream/endpoint.ts";
import { ForwardRequest } from "../upstream/forward.ts";
import { interfacePath } from "../upstream/interface-path.ts";
import type { ConversationIds } from "../upstream/pick.ts";
import { readBody } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { relayExtendedCard } from "./extended-card.ts";
import { fail } from "./fail.ts";
import type { Call } from "./learn.ts";
import { Relay } from "./relay.ts";

/** Serves a JSON-RPC request: POST to the agent's URL, or to the paths that spell out a method. */
export function callJsonRpc(exchange: Exchange, agent: Agent, key: Key, publicUrl: () => string | undefined): void {
  const { req } = exchange;
  if (req.method !== "POST") return fail(exchange, "MethodNotAllowed");
  if (!isReadable(req.headers)) return fail(exchange, "UnsupportedMediaType");
  const reader = createEnvelopeReader();
  readBody(
    exchange,
    agent,
    key,
    (chunk) => reader.push(chunk),
    (body) => {
      const read = reader.end();
      if (!read.ok) {
        exchange.rpcId = read.id;
        return fail(exchange, read.reason);
      }
      const { envelope } = read;
      exchange.rpcId = envelope.id;
      if (envelope.operation.name === EXTENSION) exchange.method = envelope.method;
      // Key and agent of now: they may have changed while the body came in.
      const call = { agent: exchange.agent ?? agent, binding: "JSONRPC", operation: envelope.operation } as const;
      if (!permit(exchange, exchange.key ?? key, call, envelope)) return;
      const version = interfaceVersion(exchange, envelope.operation);
      const path = (target: Target): string => interfacePath(target, "JSONRPC", version);
      send(exchange, call, envelope, body, publicUrl, "POST", path);
    },
  );
}

/** Serves a request of the HTTP+JSON binding. Only paths of the protocol's operations are forwarded, and they are built anew. */
export function callHttpJson(
  exchange: Exchange,
  agent: Agent,
  key: Key,
  at: { readonly rest: string; readonly query: string },
  publicUrl: () => string | undefined,
): void {
  const { req } = exchange;
  const { method } = req;
  const parsed = parseRestRequest(method, at.rest, at.query, exchange.version);
  if (!parsed.ok) {
    return fail(exchange, parsed.reason, parsed.allow === undefined ? {} : { allow: parsed.allow });
  }
  const { request } = parsed;
  const forward = (ids: ConversationIds, body: Buffer | null): void => {
    const call = { agent: exchange.agent ?? agent, binding: "HTTP+JSON", operation: request.operation } as const;
    if (!permit(exchange, exchange.key ?? key, call, ids)) return;
    const version = interfaceVersion(exchange, request.operation);
    const query = request.query === "" ? "" : `?${request.query}`;
    const path = (target: Target): string => `${interfacePath(target, "HTTP+JSON", version)}${request.path}${query}`;
    send(exchange, call, ids, body, publicUrl, method, path);
  };

  const hasBody = req.bodyFollows;
  if (request.body === "none" && hasBody)
    return fail(exchange, "MalformedRequest", { close: true, detail: "This operation has no body." });
  if (request.body === "none" || (request.body === "optional" && !hasBody)) {
    const reader = createRestBodyReader(request);
    const read = reader.end();
    return read.ok ? forward(read.ids, null) : fail(exchange, read.reason);
  }
  if (!isReadable(req.headers)) return fail(exchange, "UnsupportedMediaType");
  const reader = createRestBodyReader(request);
  readBody(
    exchange,
    agent,
    key,
    (chunk) => reader.push(chunk),
    (body) => {
      const read = reader.end();
      if (read.ok) forward(read.ids, body);
      else fail(exchange, read.reason);
    },
  );
}

/** Notes what the request is, and whether the key may do it. */
function permit(exchange: Exchange, key: Key, { operation }: Call, ids: ConversationIds): boolean {
  exchange.operation = operation.name;
  exchange.permission = operation.permission;
  exchange.version ??= operation.version;
  exchange.taskId = ids.taskId;
  exchange.contextId = ids.contextId;
  if (authorizeOperation(key, operation.permission)) return true;
  fail(exchange, "OperationNotGranted");
  return false;
}

/** Major.Minor of the header; without one the spelling of the method tells. */
function interfaceVersion({ version }: Exchange, operation: Operation): string {
  const named = version ?? operation.version ?? "0.3";
  return /^[0-9]+\.[0-9]+/.exec(named)?.[0] ?? named;
}

function send(
  exchange: Exchange,
  call: Call,
  ids: ConversationIds,
  body: Buffer | null,
  publicUrl: () => string | undefined,
  method: string,
  path: (target: Target) => string,
): void {
  const { plane, req, trace, sentVersion } = exchange;
  if (trace.spans !== undefined) exchange.sentAt = plane.monotonic() - exchange.startedAt;
  const { agent, operation } = call;
  const { credentials } = agent.row;
  const headers = requestHeaders(req.headers, {
    version: sentVersion,
    traceparent: trace.traceparent,
    tracestate: trace.continued,
    ...(credentials.length === 0 ? {} : { without: new Set(credentials.map(({ header }) => header)) }),
  });
  const listener =
    operation.name === "GetExtendedAgentCard"
      ? relayExtendedCard(exchange, call, publicUrl)
      : new Relay(exchange, call);
  const forwarding = plane.forward(
    new ForwardRequest(agent, ids, operation.permission === "SendMessage", method, path, headers, body),
    listener,
  );
  exchange.running = forwarding;
}
