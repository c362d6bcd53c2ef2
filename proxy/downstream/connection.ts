// A connection of a client that speaks HTTP/1.1, and its life. In: a socket. Out: one request after the other to the handler, each once
// the one before it was answered; what is no request is refused here, counted, and ends the connection.
import type { Socket } from "node:net";
import type { Carrier, ClientRequest, ClientResponse } from "../exchange/client.ts";
import { listNames } from "../http1/fields.ts";
import type { ReceivedHead } from "../http1/received-head.ts";
import { MALFORMED, RequestParser, type RequestSink, TOO_LARGE } from "../http1/request-parser.ts";
import type { FailureReason } from "../request/failure.ts";
import { hasPeer, readShared } from "./read-shared.ts";
import { Http1Request } from "./request.ts";
import { type AnswerLines, Http1Response } from "./response.ts";
import { Unsent } from "./unsent.ts";

/** Octets of later requests that are held while one is answered, before no more are read. */
const MAX_WAITING = 16 * 1024;
/** While no more is read, the system asks the client after this time whether it is still there; milliseconds. */
const ASK_MS = 5000;
/** How long what a client still sends is thrown away after the last answer, so that the answer reaches it; milliseconds. */
const LINGER_MS = 2000;
/** How much longer a connection is kept than its client was told: its request may be on its way; milliseconds. */
const ON_ITS_WAY_MS = 1000;

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  405: "Method Not Allowed",
  408: "Request Timeout",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
};

/** What all connections of a listener share. */
export interface ConnectionDeps extends AnswerLines {
  readonly handle: (req: ClientRequest, res: ClientResponse, awaitsContinue: boolean) => void;
  readonly metrics: { refused(reason: FailureReason): void };
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number;
  /** Milliseconds for the head of a request, and between requests. */
  readonly headersTimeout: number;
  readonly keepAliveTimeout: number;
}

export class ClientConnection implements Carrier, RequestSink {
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  readonly #parser = new RequestParser(this);
  readonly #whenSent = (): void => this.#answered();
  #request: Http1Request | undefined;
  /** Of the request that is not answered yet. */
  #response: Http1Response | undefined;
  /** What came behind the request that is answered now. */
  #waiting: Buffer | undefined;
  /** When it is over if nothing happens; Infinity while a request runs. */
  #until: number;
  readonly #unsent = new Unsent();
  /** A request was answered, and nothing of the next one is here. */
  #idle = false;
  /** What comes now is thrown away. */
  #closing = false;
  /** Found without a request at the last look. */
  wasUnused = false;

  constructor(accepted: Socket, deps: ConnectionDeps) {
    const socket = readShared(accepted, (bytes, length) => this.#octets(bytes, length));
    this.#socket = socket;
    this.#deps = deps;
    this.#until = deps.now() + deps.headersTimeout;
    socket.on("drain", () => this.#response?.drained());
    // Who sends nothing more does not wait for an answer either; one that was written still leaves.
    socket.on("end", () => {
      if (this.#response?.ended === true) this.#response.isLast = true;
      else {
        this.#left();
        // A client that takes nothing does not keep what was written.
        this.#until = this.#deps.now() + LINGER_MS;
      }
    });
    // What follows is `close`.
    socket.on("error", () => {});
    socket.on("close", () => this.#left());
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** Whether a request is not answered yet, of which a part of the head may be all that is here. */
  get busy(): boolean {
    return this.#response !== undefined || (this.#parser.inHead && !this.#closing);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  destroySoon(): void {
    this.#closing = true;
    this.#socket.destroySoon();
  }

  /** Ends it if its time is over. */
  sweep(now: number): void {
    // Who is not read cannot say that it left.
    const isGone = this.#waiting !== undefined && this.#socket.isPaused() && !hasPeer(this.#socket);
    if (isGone || this.#unsent.isStuck(this.#socket, now)) return void this.#socket.destroy();
    if (now < this.#until) return;
    if (this.#idle || this.#closing) this.#socket.destroy();
    else this.#refuse(408, "RequestTimeout");
  }

  /** @param bytes only good during the call, up to `length` */
  #octets(bytes: Buffer, length: number): void {
    if (this.#closing) return;
    const at = this.#response === undefined || this.#request?.complete === false ? this.#read(bytes, length) : 0;
    if (at === length || this.#closing) return;
    const later = bytes.subarray(at, length);
    this.#waiting = Buffer.concat(this.#waiting === undefined ? [later] : [this.#waiting, later]);
    if (this.#waiting.length < MAX_WAITING) return;
    this.#socket.pause();
    this.#socket.setKeepAlive(true, ASK_MS);
  }

  /** @returns where it stopped: at the end, or where a request begins for which it is not time yet */
  #read(bytes: Buffer, length: number): number {
    let at = 0;
    while (at < length && !this.#closing) {
      if (this.#response !== undefined && this.#request?.complete === true) return at;
      at = this.#parser.push(bytes, at, length);
      if (at === MALFORMED) this.#refuse(400, "InvalidRequest");
      else if (at === TOO_LARGE) this.#refuse(431, "RequestTooLarge");
      // The sink closes before it wants no more.
      if (at < 0) return length;
    }
    if (this.#idle && this.#parser.inHead) {
      this.#idle = false;
      this.#until = this.#deps.now() + this.#deps.headersTimeout;
    }
    return at;
  }

  head(head: ReceivedHead): boolean {
    const { connection, upgrade, expect } = head.headers;
    const awaitsContinue = expect !== undefined && head.isLatest;
    if (head.method === "CONNECT") this.#refuse(405, "MethodNotAllowed");
    // HTTP/2 offered in passing (as Java's client does) is declined by not taking it up; all other upgrades are refused.
    else if (upgrade !== undefined && upgrade !== "h2c" && listNames(connection ?? "", "upgrade")) {
      this.#refuse(400, "InvalidRequest");
    } else if (awaitsContinue && expect.toLowerCase() !== "100-continue") this.#refuse(417, "InvalidRequest");
    else {
      this.#until = Infinity;
      this.#idle = false;
      this.#request = new Http1Request(head, this);
      this.#response = new Http1Response(this.#socket, this.#deps, head, this.#whenSent);
      this.#deps.handle(this.#request, this.#response, awaitsContinue);
    }
    return !this.#closing;
  }

  data(bytes: Buffer, from: number, to: number): boolean {
    // Others read into the same block next.
    const chunk = Buffer.allocUnsafe(to - from);
    bytes.copy(chunk, 0, from, to);
    this.#request?.take(chunk);
    return !this.#closing;
  }

  end(): void {
    this.#request?.finish();
    // It was answered before its end.
    if (this.#response === undefined) this.#awaitNext();
  }

  /** The answer was handed to the system. */
  #answered(): void {
    const response = this.#response;
    // The callback comes, too, when it failed.
    if (response === undefined || this.#socket.destroyed) return;
    this.#response = undefined;
    response.close(true);
    if (response.isLast) this.#finish();
    else if (this.#request?.complete === true) this.#awaitNext();
  }

  #awaitNext(): void {
    this.#request = undefined;
    this.#idle = true;
    this.#until = this.#deps.now() + this.#deps.keepAliveTimeout + ON_ITS_WAY_MS;
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    this.#socket.resume();
    const at = this.#read(waiting, waiting.length);
    if (at < waiting.length && !this.#closing) this.#waiting = waiting.subarray(at);
  }

  /** Closes it after its last answer. */
  #finish(): void {
    const isRead = this.#request?.complete === true && this.#waiting === undefined;
    this.#closing = true;
    this.#waiting = undefined;
    if (isRead) return this.#socket.destroySoon();
    // With octets unread the system would take the answer back (RFC 9112 section 9.6).
    this.#until = this.#deps.now() + LINGER_MS;
    this.#socket.end();
    this.#socket.resume();
  }

  /** Answers what never became an exchange, or broke in the middle. */
  #refuse(status: number, reason: FailureReason): void {
    this.#deps.metrics.refused(reason);
    const response = this.#response;
    // Into an answer that has begun nothing can be written.
    if (response?.headersSent === true) return void this.#socket.destroy();
    this.#socket.write(
      `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${this.#deps.date()}Connection: close\r\nContent-Length: 0\r\n\r\n`,
      "latin1",
    );
    this.#response = undefined;
    this.#finish();
    response?.close(false);
  }

  #left(): void {
    const response = this.#response;
    this.#closing = true;
    this.#response = undefined;
    this.#waiting = undefined;
    response?.close(false);
  }
}
