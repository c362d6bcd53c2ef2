// The proxy's options. In: arguments and environment. Out: a configuration, or every fault at once.
import { METRICS_LABELS, type MetricsLabel } from "./observe/metrics-labels.ts";
import type { ListenAddress } from "../process/listen-address.ts";
import { LOG_LEVELS, type LogLevel } from "../process/log.ts";
import * as value from "../process/option-values.ts";
import { type OptionTable, option } from "../process/option-table.ts";
import { type ParsedOptions, defaultValues, parseOptions } from "../process/options.ts";

export interface ProxyConfig {
  /** Where clients come in. */
  readonly listen: ListenAddress;
  readonly adminListen: ListenAddress;
  /** Files of the certificate for clients, with its chain, and of its key; undefined: plain HTTP. */
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  /** Base URLs of operators; empty where the table is filled in the same process. */
  readonly operators: readonly string[];
  /** File of the CAs that operators' certificates may come from; undefined: the system's. */
  readonly operatorCa: string | undefined;
  /** File of the token that is shown to operators; undefined: none is. */
  readonly tokenFile: string | undefined;
  readonly gatewayName: string;
  /** Unique among the proxies of a gateway: the pod UID in a cluster. */
  readonly proxyId: string;
  /** File of the last good table; undefined: none is kept. */
  readonly lastGood: string | undefined;
  /** Milliseconds between becoming unready and refusing new connections. */
  readonly drainDelay: number;
  /** Milliseconds that requests and streams may take to end after that. */
  readonly drainTimeout: number;
  /** Bytes of request bodies held at once, in all and for one key. */
  readonly maxBuffered: number;
  readonly maxBufferedPerKey: number;
  /** Milliseconds for a request's head, its body, and between requests on one connection. */
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
  readonly keepAliveTimeout: number;
  /** Labels of the request metrics. */
  readonly metricsLabels: readonly MetricsLabel[];
  readonly logLevel: LogLevel;
  /** Whether each request has its line on standard output. */
  readonly logRequests: "on" | "off";
  /** `auto`: text on a terminal, else JSON. */
  readonly logFormat: "auto" | "json" | "pretty";
}

const table = {
  listen: option(value.listenAddress, {
    group: "Listeners",
    default: "127.0.0.1:8080",
    help: "Where clients come in.",
  }),
  adminListen: option(value.listenAddress, {
    group: "Listeners",
    default: "127.0.0.1:9090",
    help: "Where health, readiness, metrics and the redacted table dump are served.",
  }),
  tlsCert: option(value.path, {
    group: "Listeners",
    help: "Certificate for clients with its chain, PEM; read again when it changes. With it clients may speak HTTP/2, without it they are served plain HTTP.",
  }),
  tlsKey: option(value.path, { group: "Listeners", help: "The key of --tls-cert, PEM." }),
  operators: option(value.listOf(value.httpUrl), {
    group: "Table",
    required: true,
    help: "Base URLs of the operators that send the routing table.",
  }),
  operatorCa: option(value.path, {
    group: "Table",
    defaultText: "the system's CAs",
    help: "PEM file of the CAs that operators' certificates come from; it is read again for each stream.",
  }),
  tokenFile: option(value.path, {
    group: "Table",
    help: "File of the ServiceAccount token that operators ask for; a new token in it is taken up while the proxy runs.",
  }),
  gatewayName: option(value.dnsLabel, {
    group: "Table",
    default: "default",
    help: "The gateway that this proxy belongs to: objects name it in spec.gatewayName.",
  }),
  proxyId: option(value.processId, {
    group: "Table",
    alsoEnv: "POD_UID",
    defaultText: "$POD_UID, else random",
    help: "What this proxy calls itself towards operators; unique among the proxies of a gateway.",
  }),
  lastGood: option(value.path, {
    group: "Table",
    help: "File for the last good table, from which a restarted proxy serves when no operator answers.",
  }),
  drainDelay: option(value.duration, {
    group: "Shutdown",
    default: "5s",
    help: "Time between becoming unready and closing the listener, for load balancers to notice.",
  }),
  drainTimeout: option(value.duration, {
    group: "Shutdown",
    default: "20s",
    help: "Time for requests and streams to end after that; then they are cut.",
  }),
  maxBuffered: option(value.bytes, {
    group: "Limits",
    default: "256Mi",
    help: "Request bodies held in memory at once, of all keys.",
  }),
  maxBufferedPerKey: option(value.bytes, {
    group: "Limits",
    default: "64Mi",
    help: "Request bodies held in memory at once, of one key.",
  }),
  headersTimeout: option(value.duration, {
    group: "Limits",
    default: "10s",
    help: "Time for the head of a request, and for a TLS handshake.",
  }),
  bodyTimeout: option(value.duration, { group: "Limits", default: "30s", help: "Time for the body of a request." }),
  keepAliveTimeout: option(value.duration, {
    group: "Limits",
    default: "75s",
    help: "Time for which an idle client connection stays open. Clients are told of no more than --drain-delay less 2s, where that is 5s or more.",
  }),
  metricsLabels: option(value.listOf(value.oneOf(METRICS_LABELS)), {
    group: "Metrics",
    default: METRICS_LABELS.join(","),
    help: "Labels that the request metrics have; what differs only in others is counted together.",
  }),
  logLevel: option(value.oneOf(LOG_LEVELS), { group: "Log", default: "info", help: "The least level that is logged." }),
  logRequests: option(value.oneOf(["on", "off"]), {
    group: "Log",
    default: "on",
    help: "Whether each request has its line; off where a collector gets the same by OTLP.",
  }),
  logFormat: option(value.oneOf(["auto", "json", "pretty"]), {
    group: "Log",
    default: "auto",
    help: "auto is text for people on a terminal, else JSON lines.",
  }),
} as const satisfies OptionTable;

/** How the executable presents itself. */
export const PROXY_COMMAND = {
  command: "parley-proxy",
  summary: "Serves A2A requests from the table that an operator sends.",
};

/**
 * @param deps.randomId makes an instance id when neither option nor POD_UID gives one
 */
export function parseProxyConfig(deps: {
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  randomId: () => string;
}):
  | { readonly kind: "run"; readonly config: ProxyConfig }
  | Exclude<ParsedOptions<OptionTable>, { readonly kind: "run" }> {
  const parsed = parseOptions(table, PROXY_COMMAND, deps);
  if (parsed.kind !== "run") return parsed;
  const { options } = parsed;
  const faults: string[] = [];
  if (options.operators.length === 0)
    faults.push("--operators names none: write --operators=URL, or set PARLEY_OPERATORS");
  if ((options.tlsCert === undefined) !== (options.tlsKey === undefined)) {
    faults.push("--tls-cert and --tls-key belong together: write both");
  }
  const plain = options.operators.find((url) => url.startsWith("http:"));
  if (plain !== undefined && (options.operatorCa !== undefined || options.tokenFile !== undefined)) {
    faults.push(`--operators names ${plain}: with --operator-ca or --token-file write https URLs`);
  }
  if (options.maxBufferedPerKey > options.maxBuffered) {
    faults.push("--max-buffered-per-key is more than --max-buffered: write the same or less");
  }
  if (faults.length > 0) return { kind: "faults", faults };
  return { kind: "run", config: { ...options, proxyId: options.proxyId ?? deps.randomId() } };
}

/** The configuration of a proxy whose table is filled in the same process. */
export function embeddedProxyConfig(
  given: Pick<ProxyConfig, "listen" | "proxyId"> & Partial<ProxyConfig>,
): ProxyConfig {
  const { operators: _, proxyId: __, ...defaults } = defaultValues(table);
  return { ...(defaults as Omit<ProxyConfig, "operators" | "proxyId">), operators: [], ...given };
}
