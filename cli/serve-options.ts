// Options of `parley serve`. In: arguments and environment. Out: what it is to do, or every fault at once.
import { isLoopback } from "../process/listen-address.ts";
import { LOG_LEVELS } from "../process/log.ts";
import { option } from "../process/option-table.ts";
import type { OptionTable, OptionValues } from "../process/option-table.ts";
import { requestLogOption } from "./request-log-file.ts";
import * as value from "../process/option-values.ts";
import { parseOptions } from "../process/options.ts";
import type { ParsedOptions } from "../process/options.ts";

const table = {
  listen: option(value.listenAddress, {
    group: "Listeners",
    default: "127.0.0.1:4000",
    help: "Where clients come in.",
  }),
  adminListen: option(value.listenAddress, {
    group: "Listeners",
    defaultText: "none",
    help: "Where health, readiness, metrics and the redacted table are served.",
  }),
  publicUrl: option(value.httpUrl, {
    group: "Gateway",
    defaultText: "what the client asked for, on loopback",
    help: "URL under which clients reach the gateway; it stands in agent cards.",
  }),
  trustedProxies: option(value.listOf(value.cidr), {
    group: "Gateway",
    default: "",
    help: "Addresses of proxies in front, whose X-Forwarded-Proto, -Host and -Prefix are believed.",
  }),
  allowedUpstreams: option(value.listOf(value.cidr), {
    group: "Gateway",
    default: "127.0.0.0/8,::1/128",
    help: "Addresses that agents may have although they are loopback, link-local or private.",
  }),
  gatewayName: option(value.dnsLabel, {
    group: "Gateway",
    default: "default",
    help: "Only objects with this spec.gatewayName are served.",
  }),
  drainTimeout: option(value.duration, {
    group: "Shutdown",
    default: "10s",
    help: "Time for requests and streams to end on SIGTERM or Ctrl-C; then they are cut. A second signal ends at once.",
  }),
  requestLog: requestLogOption,
  requestLogAge: option(value.duration, {
    group: "Request log",
    default: "720h",
    help: "How long finished requests are kept.",
  }),
  requestLogSize: option(value.bytes, {
    group: "Request log",
    default: "1Gi",
    help: "How large their file may become; the oldest go first.",
  }),
  logLevel: option(value.oneOf(LOG_LEVELS), {
    group: "Log",
    default: "warn",
    help: "The least level that the gateway logs of itself, on standard error.",
  }),
  logFormat: option(value.oneOf(["auto", "json", "pretty"]), {
    group: "Log",
    default: "auto",
    help: "Of the lines of requests, on standard output: auto is short text on a terminal, else JSON.",
  }),
} as const satisfies OptionTable;

export const SERVE_COMMAND = {
  command: "parley serve",
  summary:
    "Serves the A2AAgents and VirtualKeys of a folder: the whole gateway in one process. Edits count at once; an edit that is not " +
    "valid is told, and the object stays as it was.",
  operands: {
    placeholder: "DIR",
    help: "Folder of YAML or JSON manifests; folders below it count too.",
    min: 1,
    max: 1,
  },
};

export type ServeOptions = OptionValues<typeof table> & { readonly folder: string };

export function parseServeOptions(given: {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}):
  | { readonly kind: "run"; readonly options: ServeOptions }
  | Exclude<ParsedOptions<OptionTable>, { readonly kind: "run" }> {
  const parsed = parseOptions(table, SERVE_COMMAND, given);
  if (parsed.kind !== "run") return parsed;
  const { options } = parsed;
  if (!isLoopback(options.listen.host) && options.publicUrl === undefined && options.trustedProxies.length === 0) {
    const faults = [
      "--listen is reached from other machines, so agent cards need to name a URL: write --public-url=https://…, or --trusted-proxies",
    ];
    return { kind: "faults", faults };
  }
  return { kind: "run", options: { ...options, folder: parsed.operands[0] ?? "." } };
}
