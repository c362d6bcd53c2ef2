// `parley status`: what runs in a cluster. In: a kubeconfig and a namespace. Out: operators and who leads, proxies and what they serve,
// objects that are not ready and why; exit code 0 when all is well, 1 when something is not or the cluster cannot be asked.
import { option } from "../process/option-table.ts";
import type { Command as OptionCommand } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";
import { parseOptions } from "../process/options.ts";
import { visible } from "../process/visible.ts";
import { apiServer, CLUSTER_GROUP, kubeconfigOption } from "./api-server.ts";
import type { Command } from "./io.ts";
import { leaseNamespaceOption } from "./operator-leases.ts";
import { readFacts } from "./status-facts.ts";
import { judgeStatus } from "./status-report.ts";
import type { GatewayReport, ProxyReport, StatusReport } from "./status-report.ts";
import { createPaint } from "./terminal.ts";
import type { Paint } from "./terminal.ts";
import { answerUsage } from "./usage.ts";

const table = {
  kubeconfig: kubeconfigOption,
  namespace: leaseNamespaceOption,
  objectsIn: option(value.listOf(value.dnsLabel), {
    group: CLUSTER_GROUP,
    default: "",
    defaultText: "all",
    help: "Namespaces whose agents and keys are looked at, for those who may not list all.",
  }),
  output: option(value.oneOf(["text", "json"]), {
    group: "Output",
    default: "text",
    help: "For people, or for programs.",
  }),
};

const command: OptionCommand = {
  command: "parley status",
  flagsOnly: true,
  summary:
    "Shows what runs in a cluster: operators and who leads, proxies and what they serve, objects that are not ready and why. It reads " +
    "Leases and EndpointSlices of one namespace, agents and keys; nothing else. Ends with 0 when all is well, 1 when something is not; " +
    "keys that are disabled or have expired are listed and are no fault.",
};

export const status: Command = async (argv, io) => {
  const parsed = parseOptions(table, command, { argv, env: io.env });
  if (parsed.kind !== "run") return answerUsage(parsed, command.command, io);
  const { kubeconfig, namespace, objectsIn, output } = parsed.options;
  const reached = apiServer(kubeconfig, io);
  if (!reached.ok) {
    io.err(`parley status: ${reached.fault}\n`);
    return 2;
  }
  const { client } = reached;
  try {
    const report = judgeStatus(await readFacts(client, namespace, objectsIn), namespace, Date.now());
    io.out(
      output === "json" ? `${JSON.stringify(report, undefined, 2)}\n` : textOf(report, createPaint(io.outColours)),
    );
    return report.well ? 0 : 1;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    io.err(`parley status: ${client.server} cannot be asked: ${cause}\n`);
    return 1;
  } finally {
    await client.close();
  }
};

function textOf(report: StatusReport, paint: Paint): string {
  const lines = [
    ...report.faults.map((fault) => paint.red(visible(fault))),
    ...report.gateways.flatMap((gateway) => gatewayLines(gateway, paint)),
    report.well ? paint.green("All is well.") : paint.red("Not all is well."),
  ];
  return `${lines.join("\n")}\n`;
}

function gatewayLines(gateway: GatewayReport, paint: Paint): readonly string[] {
  const { version, rows, age, operators, proxies, agents, keys, objects, off } = gateway;
  const row = (cells: readonly string[], fault: string | undefined): string =>
    `  ${cells
      .map((cell) => visible(cell).padEnd(44))
      .join(" ")
      .trimEnd()}${fault === undefined ? "" : `  ${paint.red(visible(fault))}`}`;
  return [
    paint.bold(`Gateway ${visible(gateway.gateway)}`) +
      paint.dim(`  table ${short(version)}, ${rows} rows; Lease ${visible(gateway.lease)}, renewed ${ago(age)}`),
    ...gateway.faults.map((fault) => `  ${paint.red(fault)}`),
    paint.bold(" Operators"),
    ...operators.map(({ name, leads, ending, fault }) =>
      row([name, ending ? "is ending" : leads ? "leads" : "stands by"], fault),
    ),
    paint.bold(" Proxies"),
    ...proxies.map((proxy) => row([proxy.name, proxy.ending ? "is ending" : served(proxy)], proxy.fault)),
    paint.bold(" Objects") +
      paint.dim(
        `  ${agents.ready} of ${agents.all} agents and ${keys.ready} of ${keys.all} keys are ready` +
          (off.length === 0 ? "" : `, ${off.length} disabled or expired`),
      ),
    ...objects.map(({ kind, namespace, name, fault }) =>
      row([`${kind === "A2AAgent" ? "a2a" : "vk"} ${namespace}/${name}`], fault),
    ),
    ...off.map(({ namespace, name, reason, message }) =>
      paint.dim(row([`vk ${namespace}/${name}`, `${reason}: ${message}`], undefined)),
    ),
    "",
  ];
}

function served({ version, age }: ProxyReport): string {
  return version === null ? "-" : `serves ${short(version)} since ${ago(age)}`;
}

function short(version: string): string {
  return visible(version.replace(/^sha256:/, "").slice(0, 8));
}

/** Seconds in words. */
function ago(seconds: number | null): string {
  if (seconds === null) return "never";
  if (seconds < 120) return `${Math.round(seconds)} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}
