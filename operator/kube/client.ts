// Authenticated HTTP to the API server. In: a KubeConfig. Out: requests with parsed answers, and streams of lines.
// client-node does the kubeconfig and the credentials. Its Watch is not used: it swallows what a callback throws, and lines
// that it cannot parse; it does not show the Status of a refusal; it cannot be aborted before the answer; it makes a new
// dispatcher, so a new TLS connection, for each call.
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { HttpMethod, RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { Agent } from "undici";
import type { Dispatcher } from "undici";
import { sendRequest } from "../../proxy/table/send-request.ts";
import type { Answer, Sending } from "../../proxy/table/send-request.ts";
import { withPlugin } from "./credential-plugin.ts";
import { splitLines } from "./lines.ts";

/** Credentials are asked for again after this long, or after a 401. Milliseconds. */
const CREDENTIALS_FOR = 30_000;
/** Connections are made anew after this long, so that a renewed CA or client certificate is taken up. Milliseconds. */
const CONNECTIONS_FOR = 600_000;
const REQUEST_TIMEOUT = 30_000;
/** Bytes of an answer that is about one object: etcd keeps objects under 1.5 MiB. */
const LONGEST_ANSWER = 16 * 1024 * 1024;

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Begins with "/"; segments already encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** By default JSON. */
  readonly accept?: string;
  /** Milliseconds for the whole exchange, also a fraction of one. Default 30 s. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface KubeAnswer {
  readonly status: number;
  /** Parsed JSON; undefined when the answer is not JSON, or has over 16 MiB. */
  readonly body: unknown;
}

export interface KubeClient {
  readonly server: string;
  /** Throws on I/O only; an HTTP status of any kind is an answer. */
  request(request: KubeRequest): Promise<KubeAnswer>;
  /** As `request`, but gives the answer unparsed, if it has no more than so many bytes. */
  text(request: KubeRequest & { readonly longest: number }): Promise<Answer>;
  /** A GET whose answer is a line of JSON after another. Other statuses than 200 are returned with their parsed body. */
  stream(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<{ readonly ok: true; readonly lines: AsyncIterable<string> } | ({ readonly ok: false } & KubeAnswer)>;
  close(): Promise<void>;
}

interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly at: number;
}
interface Connections {
  readonly dispatcher: Promise<Dispatcher>;
  readonly at: number;
}

/** Makes a client; nothing is sent before the first request. `now` gives milliseconds of a clock that never steps. */
export function createKubeClient(deps: { config: KubeConfig; now: () => number }): KubeClient {
  const { config, now } = deps;
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("the kubeconfig names no current cluster");
  const base = cluster.server.replace(/\/+$/, "");
  let credentials: Credentials | undefined;
  let connections: Connections | undefined;

  const tlsOf = async (): Promise<RequestOptions> => {
    const options: RequestOptions = {};
    await withPlugin(config, () => config.applyToHTTPSOptions(options));
    return options;
  };

  const dispatcherOf = (): Promise<Dispatcher> => {
    if (connections !== undefined && now() - connections.at < CONNECTIONS_FOR) return connections.dispatcher;
    const old = connections;
    const dispatcher = connect(config, cluster.proxyUrl, tlsOf);
    connections = { dispatcher, at: now() };
    dispatcher.catch(() => {
      // A CA that cannot be read just now: the next request tries again.
      if (connections?.dispatcher === dispatcher) connections = undefined;
    });
    // Streams that run go on to their end.
    old?.dispatcher.then((before) => before.close()).catch(() => undefined);
    return dispatcher;
  };

  const headersOf = async (): Promise<Readonly<Record<string, string>>> => {
    if (credentials === undefined || now() - credentials.at >= CREDENTIALS_FOR) {
      const context = new RequestContext(base, HttpMethod.GET);
      await withPlugin(config, () => config.applySecurityAuthentication(context));
      credentials = { headers: context.getHeaders(), at: now() };
    }
    return credentials.headers;
  };

  /** `bodyTimeout`: milliseconds of silence within a body; 0 is none. */
  const prepare = async (what: KubeRequest, bodyTimeout: number): Sending["prepared"] => {
    const url = new URL(base + what.path);
    for (const [name, value] of Object.entries(what.query ?? {})) url.searchParams.set(name, value);
    const options: Dispatcher.DispatchOptions = {
      origin: url.origin,
      path: url.pathname + url.search,
      method: what.method,
      headersTimeout: REQUEST_TIMEOUT,
      bodyTimeout,
      headers: {
        accept: what.accept ?? "application/json",
        "user-agent": "parley-operator",
        ...(what.body === undefined ? {} : { "content-type": what.contentType ?? "application/json" }),
        ...(await headersOf()),
      },
      body: what.body === undefined ? null : JSON.stringify(what.body),
    };
    return { dispatcher: await dispatcherOf(), options };
  };
  /** Refused credentials are not used again. */
  const judge = (status: number): void => {
    if (status === 401) credentials = undefined;
  };
  const ask = ({ signal, timeout = REQUEST_TIMEOUT, ...what }: KubeRequest, longest: number): Promise<Answer> => {
    const prepared = prepare(what, REQUEST_TIMEOUT);
    return sendRequest({ prepared, timeout: Math.ceil(timeout), clock: unheld, signal, onStatus: judge, longest });
  };

  return {
    server: base,
    request: async (what) => {
      const { status, text } = await ask(what, LONGEST_ANSWER);
      return { status, body: text === undefined ? undefined : parseJson(text) };
    },
    text: (what) => ask(what, what.longest),
    stream: async (path, query, signal) => {
      // The caller judges silence itself.
      const { dispatcher, options } = await prepare({ method: "GET", path, query }, 0);
      const answer = await dispatcher.request({ ...options, signal });
      judge(answer.statusCode);
      if (answer.statusCode === 200) return { ok: true, lines: splitLines(answer.body) };
      const text = await readText(answer.body, LONGEST_ANSWER);
      return { ok: false, status: answer.statusCode, body: text === undefined ? undefined : parseJson(text) };
    },
    close: async () => {
      const dispatcher = await connections?.dispatcher.catch(() => undefined);
      await dispatcher?.destroy();
    },
  };
}

/** Its timers keep no process that has nothing else to do. */
const unheld: Sending["clock"] = {
  setTimeout: (fire, ms) => {
    const timer = setTimeout(fire, ms).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** HTTP/1.1 only: with HTTP/2 every watch would hang on one connection, and end with it. */
async function connect(
  config: KubeConfig,
  proxyUrl: string | undefined,
  tlsOf: () => Promise<RequestOptions>,
): Promise<Dispatcher> {
  if (proxyUrl !== undefined && proxyUrl !== "") {
    const context = new RequestContext(proxyUrl, HttpMethod.GET);
    await config.applySecurityAuthentication(context);
    const dispatcher = context.getDispatcher();
    if (dispatcher !== undefined) return dispatcher;
  }
  const { ca, cert, key, rejectUnauthorized, ...rest } = await tlsOf();
  const servername = "servername" in rest && typeof rest.servername === "string" ? rest.servername : undefined;
  return new Agent({
    allowH2: false,
    connect: {
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
      timeout: 10_000,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      ...(servername === undefined ? {} : { servername }),
    },
  });
}

/** Of a refused stream. Undefined: it has more bytes than `longest`. */
async function readText(body: AsyncIterable<Uint8Array>, longest: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early destroys the body.
  for await (const chunk of body) {
    length += chunk.length;
    if (length > longest) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString("utf8");
}

/** Undefined: it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
