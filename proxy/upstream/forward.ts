// One request to an agent. In: what to send and who hears the answer. Out: the answer in callbacks, or one reason why there is none.
// A connection that never came up is tried on other endpoints, each once; nothing is sent twice.
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { Client, Dispatcher } from "undici";
import type { Log } from "../../process/log.ts";
import type { FailureReason } from "../request/failure.ts";
import type { Agent, Table } from "../table/compiled.ts";
import type { Affinity } from "./affinity.ts";
import type { Connections, Pool } from "./connections.ts";
import type { Target } from "./endpoint.ts";
import { failureOf } from "./failure-of.ts";
import type { ConversationIds, Picker } from "./pick.ts";

/** What to send. A class, as all that lives as long as a request: see Exchange. */
export class ForwardRequest {
  readonly agent: Agent;
  readonly ids: ConversationIds;
  /** The context of `ids` is claimed for the endpoint before the request leaves. */
  readonly claimsContext: boolean;
  readonly method: string;
  readonly path: (target: Target) => string;
  /** Names and values in turn; no host, no credentials. */
  readonly headers: readonly string[];
  /** Gone once the agent answers. */
  body: Buffer | null;

  constructor(
    agent: Agent,
    ids: ConversationIds,
    claimsContext: boolean,
    method: string,
    path: (target: Target) => string,
    headers: readonly string[],
    body: Buffer | null,
  ) {
    this.agent = agent;
    this.ids = ids;
    this.claimsContext = claimsContext;
    this.method = method;
    this.path = path;
    this.headers = headers;
    this.body = body;
  }
}

/** Bytes; the HTTP client keeps a body up to this for as long as the answer runs. What is larger goes once it was sent. */
export const KEPT_BODY = 64 * 1024;

/** A body that is let go of as soon as it was taken. */
class LargeBody extends Readable {
  #body: Buffer | null;

  constructor(body: Buffer) {
    super();
    this.#body = body;
  }

  override _read(): void {
    const body = this.#body;
    this.#body = null;
    this.push(body);
  }
}

/** Hears one answer: `started` once, `data` as often as there is any, then `ended`; or `failed` once, at any time. */
export interface AnswerListener {
  /** An endpoint was chosen; called again when another one is tried. */
  chosen(target: Target): void;
  /** The request leaves on a connection that is up. Whoever has this method sees to `timeouts.firstByte` on its own. */
  sent?(): void;
  started(status: number, headers: IncomingHttpHeaders, forwarding: Forwarding): void;
  data(chunk: Buffer): void;
  ended(): void;
  failed(reason: FailureReason): void;
}

export interface Forwarding {
  /** Ends the request; the listener hears nothing more. */
  abort(): void;
  /** Back-pressure: no more data until `resume`. */
  pause(): void;
  resume(): void;
}

export type Forward = (request: ForwardRequest, listener: AnswerListener) => Forwarding;

export interface ForwardDeps {
  readonly table: Table;
  readonly picker: Picker;
  readonly affinity: Affinity;
  readonly connections: Connections;
  readonly log: Log;
}

export function createForward(deps: ForwardDeps): Forward {
  return (request, listener) => {
    const attempt = new Attempt(deps, request, listener);
    attempt.next();
    return attempt;
  };
}

/** Values that the agent expects of us, as names and values in turn; undefined when one is missing from the table. */
export function credentialHeaders(agent: Agent, table: Table): readonly string[] | undefined {
  const headers: string[] = [];
  for (const { header, scheme, credential } of agent.row.credentials) {
    const value = table.credential(credential);
    if (value === undefined) return undefined;
    headers.push(header, scheme === undefined ? value : `${scheme} ${value}`);
  }
  return headers;
}

/** Lives as long as its request; undici calls it as its handler, so that a request costs one object. */
class Attempt implements Forwarding, Dispatcher.DispatchHandler {
  readonly #deps: ForwardDeps;
  readonly #request: ForwardRequest;
  readonly #listener: AnswerListener;
  #tried: Set<string> | undefined;
  #target: Target | undefined;
  #bound = false;
  #pool: Pool | undefined;
  #client: Client | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #over = false;

  constructor(deps: ForwardDeps, request: ForwardRequest, listener: AnswerListener) {
    this.#deps = deps;
    this.#request = request;
    this.#listener = listener;
  }

  /** Sends the request to the next endpoint that may have it. */
  next(lastFailure?: FailureReason): void {
    const { table, picker, affinity, connections } = this.#deps;
    const { ids, claimsContext, method, body } = this.#request;
    const agent = lastFailure === undefined ? this.#request.agent : this.#agentOfNow();
    // It left while a connection was tried; an old row must not meet a credential of now.
    if (agent === undefined) return this.#fail("AgentNotFound");
    const pick = picker.pick(agent, ids, this.#tried);
    if (!pick.ok) return this.#fail(lastFailure ?? pick.reason);
    const { target } = pick;
    const credentials = agent.row.credentials.length === 0 ? [] : credentialHeaders(agent, table);
    if (credentials === undefined) return this.#fail("CredentialMissing");
    if (claimsContext && !pick.bound && ids.contextId !== undefined) {
      affinity.claim(agent.id, ids.contextId, target.identity, target.backend.name);
    }
    this.#target = target;
    this.#bound = pick.bound;
    this.#listener.chosen(target);
    const { connect, firstByte } = agent.row.timeouts;
    const pool = connections.get({
      origin: target.origin,
      connectTimeout: connect,
      host: target.host,
      judged: target.judged,
    });
    const client = pool.take();
    this.#pool = pool;
    this.#client = client;
    target.state.inFlight++;
    const headers = [...this.#request.headers, ...credentials];
    if (target.host !== undefined) headers.push("host", target.host);
    const path = this.#request.path(target);
    const sent = body === null || body.length <= KEPT_BODY ? body : new LargeBody(body);
    if (sent !== body) headers.push("content-length", String(body?.length ?? 0));
    const headersTimeout = this.#listener.sent === undefined ? firstByte : 0;
    client.dispatch({ path, method, headers, body: sent, headersTimeout, bodyTimeout: 0 }, this);
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release("failed");
    this.#controller?.abort(new Error("aborted"));
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The client left while the connection was made.
    if (this.#over) controller.abort(new Error("aborted"));
    else this.#listener.sent?.();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 1xx is between us and the agent.
    if (this.#over || status < 200) return;
    this.#request.body = null;
    this.#listener.started(status, headers, this);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#listener.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#release("answered");
    this.#over = true;
    try {
      this.#listener.ended();
    } catch (error) {
      this.#deps.log.error({ err: error }, "answer not passed on");
      this.#listener.failed("Internal");
    }
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over) return;
    this.#release("failed");
    const reason = failureOf(error, this.#controller !== undefined);
    if (reason === "Internal") this.#deps.log.error({ err: error }, "request not forwarded");
    const target = this.#target;
    if (this.#controller !== undefined || this.#bound || target === undefined || reason === "Internal") {
      return this.#fail(reason);
    }
    const { agent, ids, claimsContext } = this.#request;
    if (claimsContext && ids.contextId !== undefined) {
      this.#deps.affinity.release(agent.id, ids.contextId, target.identity);
    }
    this.#tried ??= new Set();
    this.#tried.add(target.identity);
    try {
      this.next(reason);
    } catch (error) {
      this.#deps.log.error({ err: error }, "request not forwarded");
      this.#release("failed");
      this.#fail("Internal");
    }
  }

  #agentOfNow(): Agent | undefined {
    const { namespace, name, row } = this.#request.agent;
    const now = this.#deps.table.agentByName(namespace, name);
    return now?.row.uid === row.uid ? now : undefined;
  }

  #release(how: "answered" | "failed"): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    if (how === "answered") this.#pool?.give(client);
    else this.#pool?.drop(client);
    if (this.#target !== undefined) this.#target.state.inFlight--;
  }

  #fail(reason: FailureReason): void {
    this.#over = true;
    this.#listener.failed(reason);
  }
}
