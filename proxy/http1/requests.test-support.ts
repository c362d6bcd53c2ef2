// What readers make of octets. In: octets, cut somewhere. Out: requests in a form to compare, as our parser and as node:http has them.
import { createServer, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { MALFORMED, RequestParser, TOO_LARGE } from "./request-parser.ts";

export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Lower-case names and values in turn. */
  readonly fields: readonly string[];
  /** Those by name that stages ask for. */
  readonly named: readonly unknown[];
  body: string;
  complete: boolean;
  /** Nothing that comes behind it is a request. */
  readonly last: boolean;
}

export interface Seen {
  readonly requests: SeenRequest[];
  /** Undefined: no fault so far. */
  fault: string | undefined;
}

const NAMES = ["host", "authorization", "content-type", "connection", "expect", "upgrade", "a2a-version", "x"];

/** Up to the first request that is the last one of its connection. */
export function parseRequests(pieces: readonly Buffer[]): Seen {
  const seen: Seen = { requests: [], fault: undefined };
  const parser = new RequestParser({
    head(head) {
      const { method, target, isLatest, fields, headers, keepsAlive } = head;
      seen.requests.push({
        method,
        target,
        version: isLatest ? "1.1" : "1.0",
        fields,
        named: NAMES.map((name) => headers[name]),
        body: "",
        complete: false,
        last: !keepsAlive || method === "CONNECT",
      });
      return method !== "CONNECT";
    },
    data(bytes, from, to) {
      const request = seen.requests.at(-1);
      if (request !== undefined) request.body += bytes.toString("latin1", from, to);
      return true;
    },
    end() {
      const request = seen.requests.at(-1);
      if (request !== undefined) request.complete = true;
    },
  });
  for (const piece of pieces) {
    const block = Buffer.from(piece);
    let at = 0;
    while (at < block.length) {
      const { last = false, complete = false } = seen.requests.at(-1) ?? {};
      if (last && complete) return seen;
      at = parser.push(block, at, block.length);
      if (at === MALFORMED || at === TOO_LARGE) seen.fault = at === MALFORMED ? "malformed" : "too large";
      if (at < 0) return seen;
    }
  }
  return seen;
}

/** The same by node:http, which is strict unless told otherwise. */
export async function parseByNode(octets: Buffer): Promise<Seen> {
  const seen: Seen = { requests: [], fault: undefined };
  const server = createServer({ requireHostHeader: false, maxHeaderSize: 16 * 1024, insecureHTTPParser: false });
  const note = (req: IncomingMessage): void => {
    const request: SeenRequest = {
      method: req.method ?? "",
      target: req.url ?? "",
      version: req.httpVersion,
      fields: req.rawHeaders.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)),
      named: NAMES.map((name) => req.headers[name]),
      body: "",
      complete: false,
      last: false,
    };
    seen.requests.push(request);
    req.on("data", (chunk: Buffer) => {
      request.body += chunk.toString("latin1");
    });
    req.on("end", () => {
      request.complete = true;
    });
  };
  server.on("request", note);
  server.on("checkContinue", note);
  server.on("checkExpectation", note);
  server.on("connect", note);
  server.on("clientError", (error: NodeJS.ErrnoException) => {
    seen.fault = error.code ?? "none";
  });
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  socket.on("error", () => {});
  server.emit("connection", socket);
  socket.push(octets);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  return seen;
}
