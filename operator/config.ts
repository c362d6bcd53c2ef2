// The operator's options. In: arguments and environment. Out: a configuration, or every fault at once.
import { isLoopback } from "../process/listen-address.ts";
import type { ListenAddress } from "../process/listen-address.ts";
import { LOG_LEVELS } from "../process/log.ts";
import type { LogLevel } from "../process/log.ts";
import * as value from "../process/option-values.ts";
import { option } from "../process/option-table.ts";
import type { OptionTable } from "../process/option-table.ts";
import { parseOptions } from "../process/options.ts";
import type { ParsedOptions } from "../process/options.ts";

export interface OperatorConfig {
  /** Which objects are ours: those with this spec.gatewayName. */
  readonly gatewayName: string;
  /** Unique among the processes that were ever an operator of a gateway: with the pod UID in a cluster. */
  readonly replica: string;
  readonly kubeconfig: string | undefined;
  /** Namespaces that are read; none: all. */
  readonly namespaces: readonly string[];
  readonly leaseName: string;
  readonly leaseNamespace: string;
  /** Milliseconds after which another may take a Lease that is not renewed. */
  readonly leaseDuration: number;
  /** Whose ready endpoints are the proxies that must serve an object; undefined: whoever is connected. */
  readonly proxyService: { readonly namespace: string; readonly name: string } | undefined;
  /** Where proxies come for the table. */
  readonly listen: ListenAddress;
  /** Where the certificate of that listener comes from. */
  readonly tls: "auto" | "files" | "off";
  /** DNS names and IP addresses in the certificate that `auto` makes. */
  readonly tlsNames: readonly string[];
  /** Names the Secret with the CA that `auto` makes, and the ConfigMap with its bundle, beside the Lease. */
  readonly tlsCaName: string;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  /** Whose tokens open the stream; undefined: nobody is asked for one. */
  readonly proxyServiceAccount: { readonly namespace: string; readonly name: string } | undefined;
  readonly tokenAudience: string;
  readonly adminListen: ListenAddress;
  /** Under which clients reach the gateway. */
  readonly publicUrl: string | undefined;
  /** CIDRs. */
  readonly trustedProxies: readonly string[];
  /** CIDRs. */
  readonly allowedUpstreams: readonly string[];
  /** Ceilings for agents; undefined: none. Bytes; what may be logged; milliseconds. */
  readonly ceilingRequestBytes: number | undefined;
  readonly ceilingLoggingContent: "None" | "Metadata" | "Full" | undefined;
  readonly ceilingFirstByte: number | undefined;
  readonly ceilingStreamIdle: number | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: "auto" | "json" | "pretty";
}

const SHORTEST_LEASE_MS = 2_000;

const namespacedName: value.ValueType<{ readonly namespace: string; readonly name: string }> = {
  placeholder: "NAMESPACE/NAME",
  parse(text) {
    const [namespace = "", name = "", more] = text.split("/");
    const good = value.dnsLabel.parse(namespace).ok && value.objectName.parse(name).ok && more === undefined;
    return good
      ? { ok: true, value: { namespace, name } }
      : { ok: false, instead: "NAMESPACE/NAME, as parley/parley-proxy" };
  },
};

const table = {
  gatewayName: option(value.dnsLabel, {
    group: "Gateway",
    default: "default",
    help: "The gateway that this operator runs: it touches only objects that name it in spec.gatewayName.",
  }),
  publicUrl: option(value.httpUrl, {
    group: "Gateway",
    help: "Base URL under which clients reach the gateway; it stands in cards and in status.url.",
  }),
  trustedProxies: option(value.listOf(value.cidr), {
    group: "Gateway",
    default: "",
    help: "Address ranges whose X-Forwarded-Proto, -Host and -Prefix are believed.",
  }),
  allowedUpstreams: option(value.listOf(value.cidr), {
    group: "Gateway",
    default: "",
    help: "Loopback, link-local or private address ranges that url backends may reach all the same.",
  }),
  ceilingRequestBytes: option(value.bytes, {
    group: "Ceilings for agents",
    defaultText: "none",
    help: "limits.maxRequestBytes at most. An agent that asks for more is not accepted; one that says nothing gets no more.",
  }),
  ceilingLoggingContent: option(value.oneOf(["None", "Metadata", "Full"]), {
    group: "Ceilings for agents",
    defaultText: "none",
    help: "logging.content at most.",
  }),
  ceilingFirstByte: option(value.duration, {
    group: "Ceilings for agents",
    defaultText: "none",
    help: "timeouts.firstByte at most; 0s, no limit, is above.",
  }),
  ceilingStreamIdle: option(value.duration, {
    group: "Ceilings for agents",
    defaultText: "none",
    help: "timeouts.streamIdle at most; 0s, no limit, is above.",
  }),
  kubeconfig: option(value.path, {
    group: "Kubernetes",
    defaultText: "$KUBECONFIG, else the pod's ServiceAccount",
    help: "How to reach the API server.",
  }),
  namespaces: option(value.listOf(value.dnsLabel), {
    group: "Kubernetes",
    default: "",
    defaultText: "all",
    help: "Namespaces to read. With some named, Roles suffice, and allowedKeys.namespaces.from: Selector is not served.",
  }),
  leaseName: option(value.objectName, {
    group: "Kubernetes",
    defaultText: "parley-operator-{gateway-name}",
    help: "The Lease whose holder writes statuses.",
  }),
  leaseNamespace: option(value.dnsLabel, {
    group: "Kubernetes",
    default: "default",
    alsoEnv: "POD_NAMESPACE",
    help: "Namespace of the Lease.",
  }),
  leaseDuration: option(value.duration, {
    group: "Kubernetes",
    default: "15s",
    help: "Time after which another operator takes a Lease that is not renewed: 2s at least. It is renewed seven times as often.",
  }),
  proxyService: option(namespacedName, {
    group: "Kubernetes",
    help: "The Service of the proxies: its ready endpoints are those that must serve an object before it is Programmed. Without it, every connected proxy.",
  }),
  listen: option(value.listenAddress, {
    group: "Listeners",
    default: "127.0.0.1:7700",
    help: "Where proxies come for the table. It carries credentials: without --tls keep it on loopback or a trusted network.",
  }),
  tls: option(value.oneOf(["auto", "files", "off"]), {
    group: "Stream security",
    default: "off",
    help: "auto makes and renews a CA of the operator's own; files takes --tls-cert and --tls-key; off is for loopback.",
  }),
  tlsNames: option(value.listOf(value.text("NAME", /^[A-Za-z0-9.:*-]{1,253}$/, "a DNS name or an IP address")), {
    group: "Stream security",
    default: "localhost,127.0.0.1,::1",
    help: "With --tls=auto: names and addresses under which proxies reach this operator.",
  }),
  tlsCaName: option(value.objectName, {
    group: "Stream security",
    defaultText: "parley-operator-{gateway-name}-ca",
    help: "With --tls=auto: the Secret of the CA, and the ConfigMap of its bundle (ca.crt), in the namespace of the Lease.",
  }),
  tlsCert: option(value.path, {
    group: "Stream security",
    help: "With --tls=files: the certificate with its chain, PEM; read again when it changes.",
  }),
  tlsKey: option(value.path, { group: "Stream security", help: "With --tls=files: its key, PEM." }),
  proxyServiceAccount: option(namespacedName, {
    group: "Stream security",
    help: "The ServiceAccount whose tokens open the stream; without it nobody is asked who they are.",
  }),
  tokenAudience: option(value.text("TEXT", /^[\x21-\x7e]{1,253}$/, "a text without spaces, up to 253"), {
    group: "Stream security",
    default: "parley-operator",
    help: "The audience that those tokens must have.",
  }),
  adminListen: option(value.listenAddress, {
    group: "Listeners",
    default: "127.0.0.1:9091",
    help: "Where health, readiness, metrics, the redacted table and the list of proxies are served.",
  }),
  replica: option(value.processId, {
    group: "Kubernetes",
    alsoEnv: "POD_UID",
    defaultText: "$POD_UID",
    help: "What this operator calls itself, with a random part for each of its processes; unique among the operators of a gateway.",
  }),
  logLevel: option(value.oneOf(LOG_LEVELS), { group: "Log", default: "info", help: "The least level that is logged." }),
  logFormat: option(value.oneOf(["auto", "json", "pretty"]), {
    group: "Log",
    default: "auto",
    help: "auto is text for people on a terminal, else JSON lines.",
  }),
} as const satisfies OptionTable;

/** How the executable presents itself. */
export const OPERATOR_COMMAND = {
  command: "parley-operator",
  summary: "Turns A2AAgents and VirtualKeys into the routing table of the proxies.",
};

/** @param deps.randomId makes an id that no other process has */
export function parseOperatorConfig(deps: {
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  randomId: () => string;
}):
  | { readonly kind: "run"; readonly config: OperatorConfig }
  | Exclude<ParsedOptions<OptionTable>, { readonly kind: "run" }> {
  const parsed = parseOptions(table, OPERATOR_COMMAND, deps);
  if (parsed.kind !== "run") return parsed;
  const { options } = parsed;
  const faults = faultsOf(options);
  if (faults.length > 0) return { kind: "faults", faults };
  return {
    kind: "run",
    config: {
      ...options,
      // A container that is started again has the pod's UID again, but counts its batches anew: it is another replica.
      replica: [options.replica, deps.randomId()].filter((part) => part !== undefined).join("."),
      leaseName: options.leaseName ?? `parley-operator-${options.gatewayName}`,
      tlsCaName: options.tlsCaName ?? `parley-operator-${options.gatewayName}-ca`,
    },
  };
}

/** What options say against one another. */
function faultsOf(options: {
  readonly leaseDuration: number;
  readonly listen: ListenAddress;
  readonly tls: OperatorConfig["tls"];
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly proxyServiceAccount: OperatorConfig["proxyServiceAccount"];
}): readonly string[] {
  const { listen, tls, tlsCert, tlsKey, proxyServiceAccount } = options;
  const files = tlsCert !== undefined && tlsKey !== undefined;
  const beyond = !isLoopback(listen.host);
  return [
    ...(options.leaseDuration < SHORTEST_LEASE_MS
      ? ["--lease-duration is under 2s: a busy API server would pass the Lease about"]
      : []),
    ...(tls === "files" && !files ? ["--tls=files needs --tls-cert=PATH and --tls-key=PATH"] : []),
    ...(tls !== "files" && (tlsCert !== undefined || tlsKey !== undefined)
      ? ["--tls-cert and --tls-key are not used: write --tls=files"]
      : []),
    ...(tls !== "off" && beyond && proxyServiceAccount === undefined
      ? [
          "--tls without --proxy-service-account gives the table to everybody: write --proxy-service-account=NAMESPACE/NAME",
        ]
      : []),
    ...(tls === "off" && beyond && proxyServiceAccount !== undefined
      ? ["--proxy-service-account without TLS sends tokens in clear: write --tls=auto"]
      : []),
  ];
}
