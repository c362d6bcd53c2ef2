// A request of HTTP/1.1 in the form that exchanges know. In: its head, then its body piece by piece. Out: the same, to one listener.
import type { IncomingHttpHeaders } from "node:http";
import type { BodyListener, Carrier, ClientRequest } from "../exchange/client.ts";
import type { ReceivedHead } from "../http1/received-head.ts";

export class Http1Request implements ClientRequest {
  readonly socket: Carrier;
  readonly #head: ReceivedHead;
  #listener: BodyListener | undefined;
  complete = false;

  constructor(head: ReceivedHead, socket: Carrier) {
    this.#head = head;
    this.socket = socket;
  }

  get method(): string {
    return this.#head.method;
  }

  get url(): string {
    return this.#head.target;
  }

  get httpVersion(): string {
    return this.#head.isLatest ? "1.1" : "1.0";
  }

  get headers(): IncomingHttpHeaders {
    return this.#head.headers;
  }

  get rawHeaders(): readonly string[] {
    return this.#head.fields;
  }

  get bodyFollows(): boolean {
    return this.#head.chunked || this.#head.length > 0;
  }

  read(listener: BodyListener | undefined): void {
    this.#listener = listener;
  }

  /** A piece of the body came; it is the listener's. */
  take(chunk: Buffer): void {
    this.#listener?.data(chunk);
  }

  /** The body's last piece came. */
  finish(): void {
    this.complete = true;
    this.#listener?.end();
  }
}
