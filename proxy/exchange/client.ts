// What an exchange asks of its client's side. In: nothing. Out: the form that proxy/downstream/ gives to a request of HTTP/1.1, and
// proxy/http2/stream.ts to a stream of HTTP/2.
import type { IncomingHttpHeaders } from "node:http";

/** What carries an exchange: the connection of HTTP/1.1, the stream of HTTP/2. To end it ends no other exchange that still runs. */
export interface Carrier {
  readonly remoteAddress: string | undefined;
  readonly destroyed: boolean;
  destroy(): void;
  /** Breaks it off once what was written before has left. */
  destroySoon(): void;
}

/** Hears a body: `data` as often as there is any, then `end`. Neither may throw. */
export interface BodyListener {
  data(chunk: Buffer): void;
  end(): void;
}

export interface ClientRequest {
  readonly method: string;
  readonly url: string;
  /** "1.0", "1.1", "2.0" */
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** Whether there is a body, be it of no octet. */
  readonly bodyFollows: boolean;
  /** All of it is here, or nothing more will come. */
  readonly complete: boolean;
  readonly socket: Carrier;
  /** Called in the turn in which the request began: what nobody reads is thrown away. Undefined: from now on nobody does. */
  read(listener: BodyListener | undefined): void;
}

export interface ClientResponse {
  readonly headersSent: boolean;
  /** The whole answer was handed to the system. */
  readonly writableFinished: boolean;
  writeContinue(): void;
  /** @param headers names and values in turn */
  writeHead(status: number, headers: readonly string[]): void;
  flushHeaders(): void;
  /** False: wait until it drains. */
  write(chunk: Buffer): boolean;
  end(chunk?: Buffer): void;
  /** Breaks the answer off, so that nobody takes it for a whole one. */
  destroy(): void;
  /** Calls once: the answer was handed over, or the client left. Only one listener. */
  onClose(listener: () => void): void;
  /** Calls once: more may be written. Only one listener. */
  onDrain(listener: () => void): void;
}
