// `parley serve`: the whole gateway in one process. In: a folder of manifests. Out: A2A requests answered until a signal comes.
// The same validation, translation, table and proxy as in a cluster; only the way in differs.
import { randomUUID } from "node:crypto";
import { Registry } from "prom-client";
import { createValidator } from "../crds/validate.ts";
import { createClock } from "../process/clock.ts";
import { formatListenAddress, isLoopback } from "../process/listen-address.ts";
import type { ListenAddress } from "../process/listen-address.ts";
import { createLog, openLogOutput } from "../process/log.ts";
import { createShutdown } from "../process/shutdown.ts";
import { createDiscovery } from "../operator/discover/discovery.ts";
import { createProxyAdmin } from "../proxy/admin.ts";
import { embeddedProxyConfig } from "../proxy/config.ts";
import { createRequestMetrics } from "../proxy/observe/metrics.ts";
import { createObserver } from "../proxy/observe/observer.ts";
import { startOtlp } from "../proxy/observe/otlp/start.ts";
import type { RequestLog } from "../proxy/observe/request-log/keep.ts";
import { registerProcessMetrics, registerTableMetrics } from "../proxy/observe/table-metrics.ts";
import { createProxy } from "../proxy/proxy.ts";
import { createTable } from "../proxy/table/table.ts";
import { banner } from "./banner.ts";
import { withExpiry } from "./expired.ts";
import { createFolderReport } from "./folder-report.ts";
import { codeOf, readFolder } from "./folder.ts";
import type { FolderText } from "./folder.ts";
import type { Command } from "./io.ts";
import { EMPTY_STATE, mergeFolder } from "./last-good.ts";
import { createLocalOperator } from "./local-operator.ts";
import { createManifestReader } from "./manifest-reader.ts";
import type { Problem } from "./manifest.ts";
import { enterCallersFolder } from "./npm.ts";
import { requestLogFile } from "./request-log-file.ts";
import { createRequestLines } from "./request-line.ts";
import { SERVE_COMMAND, parseServeOptions } from "./serve-options.ts";
import { createPaint } from "./terminal.ts";
import { answerUsage } from "./usage.ts";
import { watchFolder } from "./watch-folder.ts";
import { WELL_KNOWN_TOKEN } from "./well-known-token.ts";

export const serve: Command = async (argv, io) => {
  const parsed = parseServeOptions({ argv, env: io.env });
  if (parsed.kind !== "run") return answerUsage(parsed, SERVE_COMMAND.command, io);
  enterCallersFolder(io.env);
  const { options } = parsed;
  const { folder, listen } = options;
  const loopback = isLoopback(listen.host);
  const paint = createPaint(io.errColours);
  const say = (line: string): void => io.err(`${line}\n`);
  const clock = createClock();

  let first: FolderText;
  try {
    first = await readFolder(folder, () => clock.now());
  } catch (error) {
    const code = codeOf(error);
    const why = { ENOENT: "there is no such folder", ENOTDIR: "is a file: name the folder that holds it" }[code];
    say(`parley serve: ${folder}: ${why ?? `cannot be read: ${code}`}`);
    return 2;
  }

  // What is said: requests on standard output, the rest on standard error.
  const pretty = options.logFormat === "pretty" || (options.logFormat === "auto" && io.outIsTerminal);
  const output = openLogOutput({ fd: 1, pretty: false, colours: false });
  const ownOutput = openLogOutput({ fd: 2, pretty: io.errIsTerminal, colours: io.errColours });
  const log = createLog({ output: ownOutput, level: options.logLevel, name: "parley" });
  const write = (lines: string): void => output.write(lines);

  // Folder → objects → rows → table.
  const table = createTable((error) => log.error({ err: error }, "a listener of the table failed"));
  const operator = createLocalOperator({
    settings: {
      gatewayName: options.gatewayName,
      publicUrl: options.publicUrl,
      trustedProxies: options.trustedProxies,
      allowedUpstreams: options.allowedUpstreams,
      exemptTokens: loopback ? [WELL_KNOWN_TOKEN] : [],
      selectors: false,
    },
    table,
    log,
  });
  const readManifests = createManifestReader(createValidator());
  const report = createFolderReport({ say, paint });
  const over = new AbortController();
  let state = EMPTY_STATE;
  let unreadable: readonly Problem[] = [];
  let expiry: { readonly cancel: () => void } | undefined;
  /** Says what is new, and once more when a key's time is over. */
  const tell = (changed: number): void => {
    const { results, again } = withExpiry(operator.results(), clock.now());
    report.tell(state, results, unreadable, changed);
    expiry?.cancel();
    expiry = again === undefined || over.signal.aborted ? undefined : clock.setTimeout(() => tell(0), again);
  };
  const discovery = createDiscovery({
    store: operator.store,
    settings: options,
    clock,
    random: () => Math.random(),
    log,
    signal: over.signal,
    onFindings(agent, backends, finding) {
      operator.learn(agent, backends, finding);
      tell(0);
    },
  });
  const take = (texts: FolderText): void => {
    const { files, problems } = readManifests(texts.files);
    unreadable = problems;
    state = mergeFolder(state, files);
    const changed = operator.apply([...state.objects.values()].map(({ object }) => object));
    discovery.poke(changed);
    tell(changed.length);
  };
  take(first);

  // Table → requests.
  const registry = new Registry();
  const metrics = createRequestMetrics({ registry, table, now: () => clock.now() });
  registerTableMetrics({ registry, table, droppedLogLines: () => output.dropped, now: () => clock.now() });
  registerProcessMetrics(registry);
  /** A gateway without a request log still is a gateway. */
  async function keptIn(file: string | undefined): Promise<RequestLog | undefined> {
    if (file === undefined) return undefined;
    try {
      const { keepRequests } = await import("../proxy/observe/request-log/keep.ts");
      const { requestLogAge: maxAge, requestLogSize: maxBytes } = options;
      return await keepRequests({ options: { file, maxAge, maxBytes }, registry, clock, log });
    } catch (error) {
      say(paint.yellow(`requests are not kept: ${file}: ${error instanceof Error ? error.message : String(error)}`));
      return undefined;
    }
  }
  const proxyId = randomUUID();
  const otlp = await startOtlp({
    env: io.env,
    service: "parley",
    instance: proxyId,
    version: io.version,
    registry,
    clock,
    log,
  });
  const requestLog = await keptIn(requestLogFile(options.requestLog, io.env));
  const observer = createObserver({
    write: pretty ? eachLine(createRequestLines(write, io.outColours)) : write,
    metrics,
    sinks: otlp === undefined ? [] : [otlp.finished],
    lineSinks: requestLog === undefined ? [] : [requestLog.finished],
    log,
  });
  const config = embeddedProxyConfig({ listen, proxyId });
  const proxy = createProxy({
    config,
    table,
    observer,
    metrics,
    clock,
    random: () => Math.random(),
    log,
    sampling: otlp?.sampling,
  });

  let draining = false;
  const admin =
    options.adminListen === undefined
      ? undefined
      : createProxyAdmin({ listen: options.adminListen, registry, log, table, draining: () => draining });
  let bound: ListenAddress;
  let adminBound: ListenAddress | undefined;
  try {
    bound = await proxy.listen();
    adminBound = await admin?.listen();
  } catch (error) {
    say(`parley serve: ${(error as Error).message}`);
    // The thread of the request log would keep the process.
    await requestLog?.close();
    process.exit(1);
  }

  const watch = watchFolder({
    root: folder,
    first,
    clock,
    onRead: take,
    onGone: (code) =>
      say(paint.yellow(`${folder} cannot be read (${code}): what it held stays in use until it is there again`)),
  });

  const ended = new Promise<number>((resolve) => {
    const shutdown = createShutdown({
      log,
      clock,
      signals: process,
      exit: resolve,
      limit: options.drainTimeout + 5_000,
    });
    shutdown.step("folder", () => {
      draining = true;
      watch.close();
      over.abort();
      expiry?.cancel();
    });
    shutdown.step("requests", async () => {
      const requests = proxy.open === 1 ? "1 open request" : `${proxy.open} open requests`;
      const seconds = options.drainTimeout / 1000;
      if (proxy.open > 0) say(`waiting up to ${seconds} s for ${requests}; a second Ctrl-C ends them at once`);
      await proxy.drain(options.drainTimeout);
    });
    shutdown.step("listeners", async () => {
      await proxy.close();
      await admin?.close();
    });
    shutdown.step("log", () => observer.flush());
    shutdown.step("telemetry", () => otlp?.close());
    shutdown.step("request log", () => requestLog?.close());
  });

  io.err(
    banner(
      {
        version: io.version,
        folder,
        url: options.publicUrl ?? urlOf(listen, bound),
        adminUrl: adminBound && `http://${formatListenAddress(adminBound)}`,
        loopback,
        results: withExpiry(operator.results(), clock.now()).results,
        state,
      },
      paint,
    ),
  );
  discovery.lead(true);
  const code = await ended;
  output.flush();
  ownOutput.flush();
  // Nothing is left to do; what a library may still hold open must not keep the process.
  process.exit(code);
};

const eachLine =
  (write: (line: string) => void) =>
  (lines: string): void => {
    for (const line of lines.split(/(?<=\n)/)) write(line);
  };

/** As a person would write it: `localhost` where the listener stands on 127.0.0.1. */
function urlOf(listen: ListenAddress, { port, host }: ListenAddress): string {
  return `http://${formatListenAddress({ host: isLoopback(listen.host) && host === "127.0.0.1" ? "localhost" : host, port })}`;
}
