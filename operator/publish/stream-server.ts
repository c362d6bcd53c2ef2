// The listener of the proxies. In: HTTP requests of proxies. Out: streams of the publisher, acknowledgements handed to it.
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { ServingCertificate } from "../../process/certificate-files.ts";
import type { Clock } from "../../process/clock.ts";
import { formatListenAddress, isLocalAuthority, isLoopback } from "../../process/listen-address.ts";
import type { ListenAddress } from "../../process/listen-address.ts";
import { listenOrExplain } from "../../process/listen-fault.ts";
import type { Log } from "../../process/log.ts";
import { ACKS_PATH, STREAM_MEDIA_TYPE, STREAM_PATH } from "../../proxy/table/contract.ts";
import { parseAck } from "./acks.ts";
import type { AckOutcome, Publisher } from "./publisher.ts";
import { MAX_SUBSCRIPTION, parseSubscription, subscriptionOf } from "./subscription.ts";
import type { ParsedSubscription } from "./subscription.ts";

/** Bytes of an acknowledgement; 100 refused rows fit. */
const MAX_ACK = 512 * 1024;
/** Milliseconds; timers take no more. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Who asks. `proxy` is the identity that was proven (a pod's UID); without it the caller may name itself. `until`: when the proof
 * ends, milliseconds since the epoch; a stream ends with it.
 */
export type Authenticate = (
  request: IncomingMessage,
) => Promise<
  | { readonly ok: true; readonly proxy?: string; readonly until?: number }
  | { readonly ok: false; readonly status: 401 | 403 | 503 }
>;

/** Nothing is asked of anybody: for loopback. */
export const authenticateAnyone: Authenticate = () => Promise.resolve({ ok: true });

export interface StreamServerDeps {
  readonly publisher: Publisher;
  readonly gateway: string;
  readonly listen: ListenAddress;
  readonly authenticate: Authenticate;
  /** Without one the stream is plain HTTP. */
  readonly certificate?: ServingCertificate | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface StreamServer {
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  /** Ends all streams and the listener. */
  close(): Promise<void>;
}

export function createStreamServer(deps: StreamServerDeps): StreamServer {
  const { log, certificate } = deps;
  const server = serverFor(certificate, (request, response) => {
    respond(deps, request, response).catch((error: unknown) => {
      log.warn({ err: error }, "request of a proxy failed");
      response.destroy();
    });
  });
  return {
    listen: async () => {
      const address = await listenOrExplain(deps.listen, "--listen", () => listening(server, deps.listen));
      const at = { address: formatListenAddress(address) };
      if (certificate !== undefined) log.info(at, "stream for proxies listens (TLS)");
      else if (isLoopback(address.host)) log.info(at, "stream for proxies listens (no TLS, loopback only)");
      else {
        log.warn(
          at,
          "THE STREAM FOR PROXIES LISTENS BEYOND LOOPBACK WITHOUT TLS AND WITHOUT AUTHENTICATION: " +
            "whoever reaches it reads upstream credentials. Use it on a trusted network only.",
        );
      }
      return address;
    },
    close: async () => {
      deps.publisher.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        // A proxy that does not read cannot hold up the end.
        setImmediate(() => server.closeAllConnections());
      });
    },
  };
}

const LIMITS = { requestTimeout: 30_000, headersTimeout: 10_000 };

function serverFor(certificate: ServingCertificate | undefined, respond: RequestListener): Server {
  if (certificate === undefined) return createServer(LIMITS, respond);
  const server = createSecureServer({ ...LIMITS, minVersion: "TLSv1.2", ...certificate.current }, respond);
  // Connections that stand keep what they were made with.
  certificate.onChange((next) => server.setSecureContext({ minVersion: "TLSv1.2", ...next }));
  return server;
}

function listening(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      const bound = server.address() as AddressInfo;
      resolve({ host: bound.address, port: bound.port });
    });
  });
}

async function respond(deps: StreamServerDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // What has proven who it is may call the listener what it likes.
  if (deps.certificate === undefined && isLoopback(deps.listen.host) && !isLocalAuthority(request.headers.host)) {
    return refuse(response, 403, "this listener answers to localhost or an IP address only");
  }
  // Proxies send none: what has one comes from a web page.
  if (request.headers.origin !== undefined) return refuse(response, 403, "not for web pages");
  const url = URL.parse(request.url ?? "/", "http://operator");
  if (url === null) return refuse(response, 400, "the path is malformed");
  const methods = METHODS[url.pathname];
  if (methods === undefined) return refuse(response, 404, "no such path");
  if (!methods.includes(request.method ?? "")) {
    return refuse(response, 405, `use ${methods.join(" or ")}`, { allow: methods.join(", ") });
  }
  const caller = await deps.authenticate(request);
  if (!caller.ok) return refuse(response, caller.status, "a token of a proxy is required");
  if (url.pathname === ACKS_PATH) return takeAck(deps, request, response, caller.proxy);
  if (request.method === "GET") {
    return serveStream(
      deps,
      request,
      response,
      subscriptionOf(url.searchParams, deps.gateway, caller.proxy),
      caller.until,
    );
  }
  const text = await readBody(request, MAX_SUBSCRIPTION);
  if (text === undefined) return refuse(response, 413, `a subscription has at most ${MAX_SUBSCRIPTION} bytes`);
  return serveStream(deps, request, response, parseSubscription(text, caller.proxy), caller.until);
}

const METHODS: Readonly<Record<string, readonly string[]>> = { [STREAM_PATH]: ["GET", "POST"], [ACKS_PATH]: ["POST"] };

function serveStream(
  { publisher, gateway, clock }: StreamServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  parsed: ParsedSubscription,
  until: number | undefined,
): void {
  if (!parsed.ok) return refuse(response, 400, parsed.fault);
  const { subscription } = parsed;
  if (subscription.gateway !== gateway) return refuse(response, 404, `this operator serves the gateway ${gateway}`);
  if (!publisher.isOpen) return refuse(response, 503, "not every kind has been read yet", { "retry-after": "1" });
  response.writeHead(200, { "content-type": STREAM_MEDIA_TYPE, "cache-control": "no-store" });
  request.socket.setKeepAlive(true, 5_000);
  request.socket.setNoDelay(true);
  const address = `${request.socket.remoteAddress ?? "?"}:${request.socket.remotePort ?? 0}`;
  if (until !== undefined) {
    const timer = clock.setTimeout(() => response.destroy(), Math.min(until - clock.now(), LONGEST_TIMER));
    response.once("close", () => timer.cancel());
  }
  if (request.method === "GET") publisher.show(response, subscription, address);
  else publisher.subscribe(response, subscription, address);
}

async function takeAck(
  { publisher }: StreamServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  proven: string | undefined,
): Promise<void> {
  const text = await readBody(request, MAX_ACK);
  if (text === undefined) return refuse(response, 413, `an acknowledgement has at most ${MAX_ACK} bytes`);
  const ack = parseAck(text);
  if (ack === undefined) return refuse(response, 400, "this is not an acknowledgement");
  if (proven !== undefined && proven !== ack.proxy) return refuse(response, 403, "acknowledge for yourself");
  const outcome = publisher.ack(ack);
  if (outcome !== "Taken") return refuse(response, ...REFUSALS[outcome]);
  response.writeHead(204).end();
}

const REFUSALS: Readonly<Record<Exclude<AckOutcome, "Taken">, readonly [status: number, message: string]>> = {
  NoStream: [404, "this proxy has no stream here"],
  NoSuchBatch: [404, "there was no such batch, or it is too long ago"],
  OtherVersion: [409, "that batch led to another version"],
};

/** Undefined: there is more than that. */
async function readBody(request: IncomingMessage, limit: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refuse(response: ServerResponse, status: number, message: string, headers: Record<string, string> = {}): void {
  response
    .writeHead(status, { "content-type": "application/json", ...headers, connection: "close" })
    .end(`${JSON.stringify({ error: message })}\n`);
}
