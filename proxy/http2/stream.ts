// A stream of HTTP/2 in the form that exchanges know. In: request and response of node:http2. Out: the same without pseudo headers and
// connection headers (RFC 9113 sections 8.2.2 and 8.3), and with an end that concerns this stream alone.
import type { IncomingHttpHeaders } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import type { BodyListener, Carrier, ClientRequest, ClientResponse } from "../exchange/client.ts";

/** Error codes of RFC 9113 section 7. */
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;

/** What the stages write for connections; a session is told in its own way. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** The stream as what carries an exchange: it ends by RST_STREAM, never the session. */
class StreamCarrier implements Carrier {
  readonly remoteAddress: string | undefined;
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, remoteAddress: string | undefined) {
    this.#stream = stream;
    this.remoteAddress = remoteAddress;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  destroy(): void {
    this.#stream.close(INTERNAL_ERROR);
    // A client that takes nothing does not keep it.
    this.#stream.destroy();
  }

  destroySoon(): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    if (stream.writableLength === 0) stream.close(INTERNAL_ERROR);
    else stream.write("", () => stream.close(INTERNAL_ERROR));
  }
}

export class StreamRequest implements ClientRequest {
  readonly httpVersion = "2.0";
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly bodyFollows: boolean;
  readonly socket: StreamCarrier;
  readonly #stream: ServerHttp2Stream;
  #listener: BodyListener | undefined;

  constructor(req: Http2ServerRequest, remoteAddress: string | undefined) {
    const { stream } = req;
    this.#stream = stream;
    this.socket = new StreamCarrier(stream, remoteAddress);
    this.method = req.method;
    this.url = req.url;
    this.bodyFollows = !stream.endAfterHeaders;
    const { headers, rawHeaders } = plainHeaders(req);
    this.headers = headers;
    this.rawHeaders = rawHeaders;
  }

  get complete(): boolean {
    return this.#stream.readableEnded || this.#stream.destroyed;
  }

  read(listener: BodyListener | undefined): void {
    const stream = this.#stream;
    const isFirst = this.#listener === undefined;
    this.#listener = listener;
    if (!isFirst || listener === undefined) return void stream.resume();
    stream.on("data", (chunk: Buffer) => this.#listener?.data(chunk));
    stream.on("end", () => {
      // A stream that was reset in the middle of the body "ends", too.
      if (!stream.closed && !stream.destroyed) this.#listener?.end();
    });
  }
}

/**
 * Headers without pseudo headers. `:authority` is the Host (RFC 9113 section 8.3.1); a Host beside it that says something else is kept as
 * a second one, which the stages refuse.
 */
function plainHeaders(req: Http2ServerRequest): { headers: IncomingHttpHeaders; rawHeaders: string[] } {
  const rawHeaders: string[] = [];
  let authority: string | undefined;
  let host: string | undefined;
  for (let index = 0; index < req.rawHeaders.length; index += 2) {
    const name = req.rawHeaders[index] ?? "";
    const value = req.rawHeaders[index + 1] ?? "";
    if (name === ":authority") authority = value;
    if (name.startsWith(":")) continue;
    if (name === "host") host = value;
    rawHeaders.push(name, value);
  }
  const headers: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(req.headers)) if (!name.startsWith(":")) headers[name] = value;
  if (authority !== undefined) {
    if (host?.toLowerCase() !== authority.toLowerCase()) rawHeaders.push("host", authority);
    headers.host = authority;
  }
  return { headers, rawHeaders };
}

export class StreamResponse implements ClientResponse {
  readonly #carrier: Carrier | undefined;
  readonly #res: Http2ServerResponse;
  readonly #stream: ServerHttp2Stream;
  readonly #answers: () => void;

  /** @param answers called when an answer begins */
  constructor(res: Http2ServerResponse, carrier: Carrier | undefined, answers: () => void) {
    this.#res = res;
    this.#stream = res.stream;
    this.#carrier = carrier;
    this.#answers = answers;
  }

  get headersSent(): boolean {
    return this.#res.headersSent;
  }

  get writableFinished(): boolean {
    // A stream that was reset counts as finished for node:http2.
    return this.#res.writableEnded && this.#stream.writableFinished && !this.#stream.aborted;
  }

  writeContinue(): void {
    this.#res.writeContinue();
  }

  writeHead(status: number, headers: readonly string[]): void {
    const passed: string[] = [];
    for (let index = 0; index < headers.length; index += 2) {
      const name = (headers[index] ?? "").toLowerCase();
      if (!OF_CONNECTIONS.has(name)) passed.push(name, headers[index + 1] ?? "");
    }
    // Not `stream.respond`: this way the last frame waits for `end()`, else node:http2 ends a stream well before it resets it.
    this.#res.writeHead(status, passed);
    this.#answers();
  }

  /** A head never waits here. */
  flushHeaders(): void {}

  write(chunk: Buffer): boolean {
    return this.#res.write(chunk);
  }

  end(chunk?: Buffer): void {
    const stream = this.#stream;
    // After the last frame of the answer the rest of the request is not waited for (RFC 9113 section 8.1).
    stream.once("wantTrailers", () => {
      setImmediate(() => {
        if (!stream.readableEnded && !stream.destroyed) stream.close(NO_ERROR);
      });
    });
    if (chunk === undefined) this.#res.end();
    else this.#res.end(chunk);
  }

  destroy(): void {
    this.#carrier?.destroy();
  }

  // Of the stream itself: the response of node:http2 does not always tell that it closed.
  onClose(listener: () => void): void {
    this.#stream.once("close", listener);
  }

  onDrain(listener: () => void): void {
    this.#stream.once("drain", listener);
  }
}
