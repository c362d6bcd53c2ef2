// The listener for operators of the process: health, readiness, metrics, and routes handed in. In: what to ask. Out: a fastify app.
import { type FastifyInstance, fastify } from "fastify";
import type { Registry } from "prom-client";
import { Readable } from "node:stream";
import { type ListenAddress, isLocalAuthority, isLoopback } from "./listen-address.ts";
import { listenOrExplain } from "./listen-fault.ts";
import type { Log } from "./log.ts";

export interface AdminDeps {
  readonly listen: ListenAddress;
  readonly registry: Registry;
  readonly log: Log;
  /** The registry as text, piece by piece; by default all at once, which is right where there are few series. */
  readonly exposition?: (
    registry: Registry,
    accept: string | undefined,
  ) => { readonly type: string; readonly pieces: AsyncIterable<string> };
  /** Why the process is not ready, in short sentences; empty: it is. */
  readonly unready: () => readonly string[];
  /** What is to be known though the process is ready, in short sentences. */
  readonly notes?: () => readonly string[];
  /** Adds routes of the process's own. */
  readonly routes?: (app: FastifyInstance) => void;
}

export interface Admin {
  /** For tests by `inject`. */
  readonly app: FastifyInstance;
  listen(): Promise<ListenAddress>;
  close(): Promise<void>;
}

/**
 * `GET /healthz`: 200 while the process runs. `GET /readyz`: 200, or 503 with the reasons; notes, if any. `GET /metrics`: Prometheus text format.
 */
export function createAdmin({
  listen,
  registry,
  exposition,
  log,
  unready,
  notes = () => [],
  routes,
}: AdminDeps): Admin {
  const app = fastify({ logger: false, forceCloseConnections: true, requestTimeout: 30_000 });

  if (isLoopback(listen.host)) {
    app.addHook("onRequest", async (request, reply) => {
      if (!isLocalAuthority(request.headers.host)) {
        await reply.code(403).send({ error: "This listener answers to localhost or an IP address only." });
      }
    });
  }
  app.addHook("onSend", async (_request, reply) => {
    reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
  });

  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/readyz", (_request, reply) => {
    const reasons = unready();
    const ready = reasons.length === 0;
    const known = notes();
    return reply.code(ready ? 200 : 503).send({ ready, reasons, ...(known.length === 0 ? {} : { notes: known }) });
  });
  app.get("/metrics", async (request, reply) => {
    if (exposition === undefined) {
      reply.header("content-type", registry.contentType);
      return registry.metrics();
    }
    const { type, pieces } = exposition(registry, request.headers.accept);
    reply.header("content-type", type);
    return Readable.from(pieces);
  });
  routes?.(app);
  app.setErrorHandler(async (error, request, reply) => {
    log.error({ err: error, path: request.routeOptions.url }, "admin request failed");
    await reply.code(500).send({ error: "internal error" });
  });

  return {
    app,
    async listen() {
      await listenOrExplain(listen, "--admin-listen", () => app.listen({ host: listen.host, port: listen.port }));
      const address = app.server.address();
      return typeof address === "object" && address !== null ? { host: address.address, port: address.port } : listen;
    },
    async close() {
      await app.close();
    },
  };
}
