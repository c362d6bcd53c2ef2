// What an exchange asks of its client's side. In: nothing. Out: the form that node:http's own request and response have as they are, and
// that proxy/http2/stream.ts gives to a stream of HTTP/2.
import type { IncomingHttpHeaders } from "node:http";

/** What carries an exchange: the connection of HTTP/1.1, the stream of HTTP/2. To end it ends no other exchange that still runs. */
export interface Carrier {
  readonly remoteAddress?: string | undefined;
  readonly destroyed: boolean;
  destroy(): unknown;
  /** Breaks it off once what was written before has left. */
  destroySoon(): void;
}

export interface ClientRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** "1.0", "1.1", "2.0" */
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** Whether a body follows, where that is not for headers to say: HTTP/2 frames it. */
  readonly bodyFollows?: boolean | undefined;
  /** All of it is here, or nothing more will come. */
  readonly complete: boolean;
  readonly readableEnded: boolean;
  readonly socket: Carrier;
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  off(event: "data", listener: (chunk: Buffer) => void): unknown;
  off(event: "end", listener: () => void): unknown;
  resume(): unknown;
}

export interface ClientResponse {
  readonly headersSent: boolean;
  /** The whole answer was handed to the system. */
  readonly writableFinished: boolean;
  /** Null: another answer of the connection comes first, or the client left. */
  readonly socket: Carrier | null;
  writeContinue(): void;
  /** @param headers names and values in turn */
  writeHead(status: number, headers: string[]): unknown;
  flushHeaders(): void;
  /** False: wait for `drain`. */
  write(chunk: Buffer | string): boolean;
  end(): unknown;
  end(chunk: Buffer): unknown;
  end(chunk: string, encoding: "latin1"): unknown;
  /** Breaks the answer off, so that nobody takes it for a whole one. */
  destroy(): unknown;
  on(event: "close", listener: () => void): unknown;
  once(event: "close" | "drain", listener: () => void): unknown;
}
