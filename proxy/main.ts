// The proxy as an executable. In: arguments, environment, signals. Out: a process that serves A2A until it is told to stop.
// Read top to bottom, this is the proxy: options, log, table, what fills it, what watches it, what it serves, how it ends.
import { randomUUID } from "node:crypto";
import { Registry } from "prom-client";
import { watchCertificateFiles } from "../process/certificate-files.ts";
import { createClock } from "../process/clock.ts";
import { formatListenAddress } from "../process/listen-address.ts";
import { createLog, openLogOutput } from "../process/log.ts";
import { earlyExit } from "../process/options.ts";
import { createShutdown } from "../process/shutdown.ts";
import { readVersion } from "../process/version.ts";
import { createProxyAdmin } from "./admin.ts";
import { parseProxyConfig, PROXY_COMMAND, type ProxyConfig } from "./config.ts";
import { createRequestMetrics } from "./observe/metrics.ts";
import { createObserver } from "./observe/observer.ts";
import { startOtlp } from "./observe/otlp/start.ts";
import { registerProcessMetrics, registerTableMetrics } from "./observe/table-metrics.ts";
import { createProxy } from "./proxy.ts";
import { createAccess } from "./table/access.ts";
import { openLastGood } from "./table/last-good.ts";
import { startState } from "./table/subscribe-state.ts";
import { subscribe } from "./table/subscribe.ts";
import { createTable } from "./table/table.ts";
import { createWithheld } from "./table/withheld.ts";
import { sizeYoungSpace } from "./young-space.ts";

/** What an end may take beyond drain delay and drain timeout; milliseconds. */
const SHUTDOWN_MARGIN = 10_000;
/** How long finished requests may wait for their log line and their count; milliseconds. */
const LOG_DELAY = 20;

async function run(config: ProxyConfig): Promise<void> {
  const clock = createClock();
  const terminal = process.stdout.isTTY;
  const pretty = config.logFormat === "pretty" || (config.logFormat === "auto" && terminal);
  const output = openLogOutput({ fd: process.stdout.fd, pretty, colours: pretty && terminal });
  const log = createLog({ output, level: config.logLevel, name: "proxy" });
  const shutdown = createShutdown({
    log,
    clock,
    signals: process,
    exit(code) {
      output.flush();
      process.exit(code);
    },
    limit: config.drainDelay + config.drainTimeout + SHUTDOWN_MARGIN,
  });

  const registry = new Registry();
  const table = createTable((error) => log.error({ err: error }, "a listener to the table failed"));
  // The launcher keeps the space for young objects from growing until the table is there.
  const filled = table.onChange(() => {
    if (!table.complete) return;
    filled();
    sizeYoungSpace(clock);
  });
  // What any operator takes away, while the table does not have it yet. Requests go by both.
  const withheld = createWithheld({ table, clock });
  let stream = startState;
  const metrics = createRequestMetrics({
    registry,
    table: withheld.table,
    now: () => clock.now(),
    labels: new Set(config.metricsLabels),
  });
  registerTableMetrics({
    registry,
    table,
    stream: () => stream,
    withheldRows: () => withheld.rows,
    droppedLogLines: () => output.dropped,
    now: () => clock.now(),
  });
  registerProcessMetrics(registry);
  const otlp = await startOtlp({
    env: process.env,
    service: PROXY_COMMAND.command,
    instance: config.proxyId,
    version: readVersion(),
    registry,
    clock,
    log,
  });
  const observer = createObserver({
    write: config.logRequests === "on" ? (lines) => output.write(lines) : undefined,
    metrics,
    sinks: otlp === undefined ? [] : [otlp.finished],
    log,
    // One write for many lines: a write costs the process more than a request's own log line does.
    schedule: (flush) => void clock.setTimeout(flush, LOG_DELAY),
  });

  const { tlsCert, tlsKey } = config;
  const certificate =
    tlsCert === undefined || tlsKey === undefined
      ? undefined
      : await watchCertificateFiles({ certFile: tlsCert, keyFile: tlsKey, clock, log });
  const proxy = createProxy({
    config,
    certificate,
    table: withheld.table,
    observer,
    metrics,
    clock,
    random: Math.random,
    log,
    sampling: otlp?.sampling,
  });
  const admin = createProxyAdmin({
    listen: config.adminListen,
    registry,
    log,
    table,
    stream: () => stream,
    now: () => clock.now(),
    draining: () => shutdown.signal.aborted,
  });
  const lastGood =
    config.lastGood === undefined
      ? undefined
      : await openLastGood({ file: config.lastGood, gateway: config.gatewayName, random: Math.random, log });

  log.info({ admin: formatListenAddress(await admin.listen()) }, "admin listener");
  log.info({ address: formatListenAddress(await proxy.listen()), version: readVersion() }, "listening");

  // Revocations hold to the last request, so the stream outlives the listener.
  const subscription = new AbortController();
  const subscribed = subscribe({
    table,
    withheld,
    operators: config.operators,
    access: createAccess({ caFile: config.operatorCa, tokenFile: config.tokenFile, clock }),
    gateway: config.gatewayName,
    proxy: config.proxyId,
    ...(lastGood === undefined ? {} : { lastGood }),
    clock,
    random: Math.random,
    log,
    signal: subscription.signal,
    onState(state) {
      stream = state;
    },
  });
  subscribed.catch((error: unknown) => {
    log.error({ err: error }, "subscription failed");
    void shutdown.stop("subscription failed", 1);
  });

  // Unready from the signal on; load balancers get time to notice before the listener closes, and clients to leave.
  shutdown.step("drain delay", async () => {
    proxy.retire();
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, config.drainDelay));
  });
  shutdown.step("drain", async () => void (await proxy.drain(config.drainTimeout)));
  shutdown.step("listener", () => proxy.close());
  shutdown.step("certificate", () => certificate?.close());
  shutdown.step("subscription", async () => {
    subscription.abort();
    await subscribed;
    withheld.end();
  });
  shutdown.step("last good table", () => lastGood?.close());
  shutdown.step("admin listener", () => admin.close());
  shutdown.step("log", () => observer.flush());
  shutdown.step("telemetry", () => otlp?.close());
}

const parsed = parseProxyConfig({ argv: process.argv.slice(2), env: process.env, randomId: randomUUID });
if (parsed.kind === "run") {
  try {
    await run(parsed.config);
  } catch (error) {
    console.error(`${PROXY_COMMAND.command}: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
} else {
  const exit = earlyExit(parsed, { command: PROXY_COMMAND.command, version: readVersion() });
  if (exit !== undefined) {
    (exit.code === 0 ? process.stdout : process.stderr).write(exit.text);
    process.exitCode = exit.code;
  }
}
