// One request to an agent. In: what to send and who hears the answer. Out: the answer in callbacks, or one reason why there is none.
// A connection that never came up is tried on other endpoints, each once; nothing is sent twice.
import type { Log } from "../../process/log.ts";
import type { FailureReason } from "../request/failure.ts";
import type { AnswerHead } from "../http1/answer-head.ts";
import { requestHead } from "../http1/request-head.ts";
import type { Agent, Table } from "../table/compiled.ts";
import type { Affinity } from "./affinity.ts";
import type { AnswerHandler, Connection } from "./connection.ts";
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
  /** Gone once it was sent. */
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

/** Hears one answer: `started` once, `data` as often as there is any, then `ended`; or `failed` once, at any time. */
export interface AnswerListener {
  /** An endpoint was chosen; called again when another one is tried. */
  chosen(target: Target): void;
  /** The request leaves on a connection that is up. How long the answer may take from now on is the listener's to see to. */
  sent(): void;
  started(head: AnswerHead, forwarding: Forwarding): void;
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

/** Lives as long as its request; the connection calls it as its handler, so that a request costs one object. */
class Attempt implements Forwarding, AnswerHandler {
  readonly #deps: ForwardDeps;
  readonly #request: ForwardRequest;
  readonly #listener: AnswerListener;
  #tried: Set<string> | undefined;
  #target: Target | undefined;
  #bound = false;
  #pool: Pool | undefined;
  #connection: Connection | undefined;
  #sent = false;
  #over = false;

  constructor(deps: ForwardDeps, request: ForwardRequest, listener: AnswerListener) {
    this.#deps = deps;
    this.#request = request;
    this.#listener = listener;
  }

  /** Sends the request to the next endpoint that may have it. */
  next(lastFailure?: FailureReason): void {
    const { table, picker, affinity, connections } = this.#deps;
    const { ids, claimsContext, method, body, headers } = this.#request;
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
    const pool = connections.get({
      origin: target.origin,
      connectTimeout: agent.row.timeouts.connect,
      host: target.host,
      judged: target.judged,
    });
    const head = requestHead({
      method,
      path: this.#request.path(target),
      host: pool.host,
      fields: credentials.length === 0 ? headers : [...headers, ...credentials],
      length: body?.length,
    });
    if (head === undefined) {
      this.#deps.log.error({ agent: agent.id }, "request not forwarded: its head cannot be written");
      return this.#fail("Internal");
    }
    const connection = pool.take();
    this.#pool = pool;
    this.#connection = connection;
    target.state.inFlight++;
    connection.send(head, body, method === "HEAD", this);
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release("failed");
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  // An exception of a listener must not reach the socket's events, where it would end the process.

  onSent(): void {
    this.#sent = true;
    this.#request.body = null;
    try {
      this.#listener.sent();
    } catch (error) {
      this.#broken(error);
    }
  }

  onHead(head: AnswerHead): void {
    try {
      this.#listener.started(head, this);
    } catch (error) {
      this.#broken(error);
    }
  }

  onData(chunk: Buffer): void {
    try {
      this.#listener.data(chunk);
    } catch (error) {
      this.#broken(error);
    }
  }

  onEnd(): void {
    this.#release("answered");
    this.#over = true;
    try {
      this.#listener.ended();
    } catch (error) {
      this.#broken(error);
    }
  }

  onError(error: Error): void {
    this.#release("failed");
    const reason = failureOf(error, this.#sent);
    if (reason === "Internal") this.#deps.log.error({ err: error }, "request not forwarded");
    const target = this.#target;
    if (this.#sent || this.#bound || target === undefined || reason === "Internal") return this.#fail(reason);
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
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    if (how === "answered") this.#pool?.give(connection);
    else this.#pool?.drop(connection);
    if (this.#target !== undefined) this.#target.state.inFlight--;
  }

  #broken(error: unknown): void {
    this.#deps.log.error({ err: error }, "answer not passed on");
    this.#release("failed");
    this.#fail("Internal");
  }

  #fail(reason: FailureReason): void {
    this.#over = true;
    this.#listener.failed(reason);
  }
}
