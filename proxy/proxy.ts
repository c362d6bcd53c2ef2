// The data plane in one piece. In: options, table, observer, clock, random source. Out: a proxy that listens, drains and closes.
// Nothing here is global: tests and `parley serve` run it inside their own process.
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import type { ServingCertificate } from "../process/certificate-files.ts";
import { isLoopback } from "../process/listen-address.ts";
import { listenOrExplain } from "../process/listen-fault.ts";
import type { Clock, Timer } from "../process/clock.ts";
import type { Log } from "../process/log.ts";
import type { ProxyConfig } from "./config.ts";
import { createBuffers } from "./exchange/buffers.ts";
import type { Exchange, Plane } from "./exchange/exchange.ts";
import { fail } from "./exchange/fail.ts";
import { handle } from "./exchange/handle.ts";
import { createLingering } from "./exchange/lingering.ts";
import { judgeAgain, sweep } from "./exchange/open.ts";
import { createSlots } from "./exchange/slots.ts";
import { createListener } from "./listener.ts";
import type { RequestMetrics } from "./observe/metrics.ts";
import type { Observer } from "./observe/observer.ts";
import { type Sampling, createTracer } from "./observe/trace.ts";
import { createDigests } from "./request/authenticate.ts";
import { createAddressPolicy } from "./table/address-policy.ts";
import type { Table } from "./table/compiled.ts";
import { createAffinity } from "./upstream/affinity.ts";
import { createConnections } from "./upstream/connections.ts";
import { createEndpointStates } from "./upstream/endpoint.ts";
import { createForward } from "./upstream/forward.ts";
import { createPicker } from "./upstream/pick.ts";

/** How often deadlines, expired keys and idle connections are looked at; milliseconds. */
const TICK_MS = 250;
/** How long a client may take to close a connection that is over; milliseconds. */
const CLOSE_GRACE_MS = 500;
/** Tasks and contexts whose endpoint is remembered. */
const AFFINITY_ENTRIES = 200_000;
/** Tokens in use whose digest is remembered. */
const REMEMBERED_TOKENS = 4096;

export interface ProxyDeps {
  readonly config: Pick<
    ProxyConfig,
    | "listen"
    | "maxBuffered"
    | "maxBufferedPerKey"
    | "headersTimeout"
    | "bodyTimeout"
    | "keepAliveTimeout"
    | "drainDelay"
  >;
  readonly table: Table;
  /** What clients are served TLS with; undefined: plain HTTP. */
  readonly certificate?: ServingCertificate | undefined;
  readonly observer: Pick<Observer, "finished">;
  readonly metrics: Pick<RequestMetrics, "refused" | "streamOpened" | "streamClosed" | "setBuffered">;
  readonly clock: Clock;
  /** As Math.random. */
  readonly random: () => number;
  readonly log: Log;
  /** Which traces are recorded; absent: none. */
  readonly sampling?: Sampling | undefined;
}

export interface Proxy {
  /** Resolves once connections are taken; rejects when the address cannot be had. */
  listen(): Promise<{ host: string; port: number }>;
  /** From now on answers ask clients to close their connections. New connections are taken still: not everybody knows yet. */
  retire(): void;
  /**
   * Takes no new connections and lets requests and streams end that run or are on their way; after the limit they are cut with `Draining`.
   *
   * @param limitMs milliseconds
   * @returns how many were cut
   */
  drain(limitMs: number): Promise<{ cut: number }>;
  /** Ends everything at once. */
  close(): Promise<void>;
  /** Requests that are not over. */
  readonly open: number;
}

export function createProxy(deps: ProxyDeps): Proxy {
  const { config, table, observer, metrics, clock, random, log } = deps;
  const buffers = createBuffers({ perKey: config.maxBufferedPerKey, total: config.maxBuffered });
  const affinity = createAffinity(AFFINITY_ENTRIES);
  const lingering = createLingering();
  const open = createSlots<Exchange>();
  const whenIdle = new Set<() => void>();
  function wakeIdle(): void {
    for (const wake of whenIdle) wake();
    whenIdle.clear();
  }

  let allowed = createAddressPolicy(table.gateway.allowedUpstreams);
  let allowedUpstreams = JSON.stringify(table.gateway.allowedUpstreams);
  const connections = createConnections({ clock, allowed: (address) => allowed(address) });
  const picker = createPicker({ table, states: createEndpointStates(), affinity, random });

  const plane: Plane = {
    table,
    clock,
    monotonic: () => clock.elapsed(),
    log,
    metrics,
    digests: createDigests(REMEMBERED_TOKENS),
    tracer: createTracer(randomFillSync, deps.sampling),
    forward: createForward({ table, picker, affinity, connections, log }),
    affinity,
    buffers,
    open,
    lingering,
    bodyTimeout: config.bodyTimeout,
    finished(record) {
      observer.finished(record);
      if (open.size === 0 && whenIdle.size > 0) wakeIdle();
    },
    loopback: isLoopback(config.listen.host),
    draining: false,
  };

  const listener = createListener({
    handle: (req, res, awaitsContinue) => handle(plane, req, res, awaitsContinue),
    metrics,
    certificate: deps.certificate,
    headersTimeout: config.headersTimeout,
    keepAliveTimeout: config.keepAliveTimeout,
    drainDelay: config.drainDelay,
    draining: () => plane.draining,
    now: () => clock.elapsed(),
    wallClock: () => clock.now(),
  });

  const { server, sessions } = listener;
  // Of HTTP/2: its session closes it, and a client that does not do so on its side is not waited for.
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol !== "h2") return;
    socket.once("finish", () => lingering.add(socket, clock.elapsed() + CLOSE_GRACE_MS));
  });

  let closing = false;
  let closed = false;
  function closeUnused(): void {
    listener.connections.closeUnused((connection) => lingering.has(connection));
  }

  const stopListening = table.onChange((change) => {
    const now = JSON.stringify(table.gateway.allowedUpstreams);
    if (now !== allowedUpstreams) {
      allowedUpstreams = now;
      allowed = createAddressPolicy(table.gateway.allowedUpstreams);
      connections.rejudge();
    }
    judgeAgain(plane, change);
  });

  let timer: Timer | undefined;
  function tick(): void {
    timer = clock.setTimeout(tick, TICK_MS);
    sweep(plane);
    lingering.sweep(clock.elapsed());
    connections.sweep();
    listener.connections.sweep();
    sessions?.sweep();
    buffers.sweep();
    metrics.setBuffered(buffers.total);
    if (!closing) return;
    closeUnused();
    wakeIdle();
  }

  const isServing = (): boolean => !closed && (open.size > 0 || listener.connections.size > 0);
  const idle = (): Promise<void> => new Promise((resolve) => whenIdle.add(resolve));

  function cutAll(): number {
    const running = open.all();
    for (const exchange of running) {
      // Its answer was handed over, and is not read.
      if (exchange.over) exchange.req.socket.destroy();
      else fail(exchange, "Draining");
    }
    return running.length;
  }

  async function close(): Promise<void> {
    plane.draining = true;
    timer?.cancel();
    timer = undefined;
    stopListening();
    cutAll();
    const ended = server.listening ? once(server, "close") : undefined;
    server.close();
    listener.closeAllConnections();
    await ended;
    connections.close();
    closed = true;
    wakeIdle();
  }

  return {
    async listen() {
      await listenOrExplain(config.listen, "--listen", () => {
        server.listen(config.listen.port, config.listen.host);
        return once(server, "listening");
      });
      tick();
      const address = server.address();
      if (address === null || typeof address === "string") throw new TypeError("the listener has no port");
      return { host: address.address, port: address.port };
    },
    retire() {
      plane.draining = true;
    },
    async drain(limitMs) {
      plane.draining = true;
      closing = true;
      if (server.listening) server.close();
      sessions?.drain();
      let cut = 0;
      let limit = clock.setTimeout(() => {
        cut = cutAll();
        limit = clock.setTimeout(() => listener.closeAllConnections(), CLOSE_GRACE_MS);
      }, limitMs);
      // One request may have waited behind another on its connection, or be on its way.
      while (isServing()) await idle();
      // A session may still hold the end of an answer.
      await sessions?.ended();
      limit.cancel();
      log.info({ cut }, "drained");
      return { cut };
    },
    close,
    get open() {
      return open.size;
    },
  };
}
