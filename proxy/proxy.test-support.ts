// A running proxy for tests. In: rows. Out: a listening proxy over a real table, real agents on real sockets, and what was recorded.
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { createClock } from "../process/clock.ts";
import type { Clock } from "../process/clock.ts";
import { embeddedProxyConfig, type ProxyConfig } from "./config.ts";
import type { ServingCertificate } from "../process/certificate-files.ts";
import type { FinishedRequest } from "./observe/record.ts";
import { createProxy, type Proxy } from "./proxy.ts";
import { agentRow, gatewayRow, keyRow, tableOf } from "./request/table.test-support.ts";
import { createTable } from "./table/table.ts";
import { agentRowId, endpointsRowId, GATEWAY_ROW_ID, keyRowId } from "./table/contract.ts";
import type { AgentRow, Endpoint, KeyRow, RowChange } from "./table/contract.ts";

export const TOKEN = "sk-0123456789abcdef0123456789abcdef";
/** Loopback endpoints are reached as a Service's pods are: only `url` backends are judged. */
export const ENDPOINTS = endpointsRowId("agents", "travel", "http");

/** The answer to a message: a completed task. */
export const TASK = { kind: "task", id: "task-1", contextId: "context-1", status: { state: "completed" } };

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface TestAgent {
  readonly port: number;
  /** Requests that it saw, in order. */
  readonly seen: { readonly req: IncomingMessage; readonly body: string }[];
  close(): Promise<void>;
}

export type AgentHandler = (req: IncomingMessage, res: ServerResponse, body: string) => void;

/** Answers every call with the result, in the JSON-RPC form of 0.3. */
export const answering =
  (result: unknown): AgentHandler =>
  (_req, res, body) => {
    const { id } = JSON.parse(body) as { id: unknown };
    json(res, 200, { jsonrpc: "2.0", id, result });
  };

export function json(res: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  res.end(body);
}

/** A real agent on a port of its own. */
export async function startAgent(handler: AgentHandler): Promise<TestAgent> {
  const seen: TestAgent["seen"] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      seen.push({ req, body });
      handler(req, res, body);
    });
  });
  const port = await listening(server);
  return {
    port,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

export const endpointAt = (port: number, more: Partial<Endpoint> = {}): Endpoint => ({
  address: "127.0.0.1",
  port,
  ready: true,
  serving: true,
  ...more,
});

export const endpointsRow = (...endpoints: readonly Endpoint[]): RowChange => ({ id: ENDPOINTS, row: { endpoints } });

export const agentChange = (row: Partial<AgentRow> = {}, name = "travel"): RowChange => ({
  id: agentRowId("agents", name),
  row: agentRow({
    backends: [
      {
        name: "main",
        weight: 1,
        endpoints: ENDPOINTS,
        scheme: "http",
        path: "/",
        host: "travel.agents.svc",
        interfaces: [],
      },
    ],
    ...row,
  }),
});

export const keyChange = (row: Partial<KeyRow> = {}): RowChange => ({
  id: keyRowId("agents", "alice"),
  row: keyRow(TOKEN, row),
});

export interface Running {
  readonly proxy: Proxy;
  readonly port: number;
  readonly table: ReturnType<typeof tableOf>;
  readonly records: FinishedRequest[];
  readonly refused: string[];
  /** Streams open now, by the metric. */
  readonly streams: () => number;
  /** Bytes of bodies held, as last reported. */
  readonly buffered: () => number;
  /** Resolves with the record that has this index, once it is there. */
  readonly record: (index: number) => Promise<FinishedRequest>;
  /** Resolves when the condition holds; asked after each turn of the event loop. */
  readonly until: (condition: () => boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts a proxy over these rows, a key and a gateway row. */
export async function startProxy(
  changes: readonly RowChange[],
  options: {
    config?: Partial<ProxyConfig>;
    clock?: Clock;
    random?: () => number;
    empty?: boolean;
    certificate?: ServingCertificate;
  } = {},
): Promise<Running> {
  const rows = [{ id: GATEWAY_ROW_ID, row: gatewayRow() }, keyChange(), ...changes];
  const table = options.empty === true ? createTable() : tableOf(...rows);
  const records: FinishedRequest[] = [];
  const refused: string[] = [];
  const waiting = new Set<() => void>();
  let streams = 0;
  let buffered = 0;
  const silent = (): void => {};
  const proxy = createProxy({
    config: embeddedProxyConfig({ listen: { host: "127.0.0.1", port: 0 }, proxyId: "test", ...options.config }),
    certificate: options.certificate,
    table,
    observer: {
      finished(record) {
        records.push(record);
        for (const wake of waiting) wake();
      },
    },
    metrics: {
      refused: (reason) => refused.push(reason),
      streamOpened: () => streams++,
      streamClosed: () => streams--,
      setBuffered: (bytes) => {
        buffered = bytes;
      },
    },
    clock: options.clock ?? createClock(),
    random: options.random ?? Math.random,
    log: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
  });
  const { port } = await proxy.listen();
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    proxy,
    port,
    table,
    records,
    refused,
    streams: () => streams,
    buffered: () => buffered,
    until,
    async record(index) {
      await until(() => records.length > index);
      const record = records[index];
      if (record === undefined) throw new Error("no such record");
      return record;
    },
    close: () => proxy.close(),
  };
}

/** One request on a connection of its own. */
export function send(
  port: number,
  options: {
    method?: string;
    path?: string;
    headers?: Readonly<Record<string, string | string[]>>;
    body?: string | Buffer;
    token?: string | null;
  },
): Promise<Reply> {
  const { method = "POST", path = "/a2a/travel", headers = {}, body, token = TOKEN } = options;
  return new Promise((resolve, reject) => {
    const req = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        agent: false,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() }),
        );
        res.on("error", reject);
      },
    );
    req.on("error", reject);
    req.end(body);
  });
}

/** A JSON-RPC body. */
export const rpc = (method: string, params: unknown = {}, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });

export const message = (more: Readonly<Record<string, unknown>> = {}): unknown => ({
  message: { role: "user", kind: "message", messageId: "m1", parts: [{ kind: "text", text: "hi" }], ...more },
});

/** Writes bytes to a socket of its own and resolves with all that came back once the other side closed. */
export function raw(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.write(bytes);
  });
}
