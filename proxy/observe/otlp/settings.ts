// What is exported, by the standard OTEL_* variables. In: the environment. Out: settings, and every fault. Endpoints, headers, timeouts,
// compression and certificates are read by the exporters themselves.
import type { Sampling } from "../trace.ts";
import * as names from "./names.ts";
import type { Attribute } from "./protobuf.ts";
import type { QueueLimits } from "./queue.ts";

export type Protocol = "http/protobuf" | "grpc";

export interface OtlpSettings {
  readonly traces:
    | { readonly protocol: Protocol; readonly sampling: Sampling; readonly limits: QueueLimits }
    | undefined;
  readonly logs: { readonly protocol: Protocol; readonly limits: QueueLimits } | undefined;
  readonly metrics: { readonly protocol: Protocol; /** Milliseconds. */ readonly interval: number } | undefined;
  readonly resource: readonly Attribute[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A signal is exported when its exporter is `otlp`, or when none is named and an endpoint is. Undefined settings: nothing is exported.
 *
 * @param self what the process is, where the environment does not say
 */
export function readOtlpSettings(
  env: Environment,
  self: { readonly service: string; readonly version: string; readonly instance: string },
): { readonly settings: OtlpSettings | undefined; readonly faults: readonly string[] } {
  const faults: string[] = [];
  if (env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true") return { settings: undefined, faults };
  const traces = protocolOf(env, "TRACES", faults);
  const logs = protocolOf(env, "LOGS", faults);
  const metrics = protocolOf(env, "METRICS", faults);
  if (traces === undefined && logs === undefined && metrics === undefined) return { settings: undefined, faults };
  const settings: OtlpSettings = {
    traces: traces && {
      protocol: traces,
      sampling: samplingOf(env, faults),
      limits: limitsOf(env, "BSP", 5000, faults),
    },
    logs: logs && { protocol: logs, limits: limitsOf(env, "BLRP", 1000, faults) },
    metrics: metrics && {
      protocol: metrics,
      interval: numberOf(env, "OTEL_METRIC_EXPORT_INTERVAL", 60_000, faults),
    },
    resource: resourceOf(env, self, faults),
  };
  return { settings, faults };
}

function protocolOf(env: Environment, signal: string, faults: string[]): Protocol | undefined {
  const exporter = env[`OTEL_${signal}_EXPORTER`]?.trim();
  const endpoint = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  if (exporter === "none" || (!exporter && !endpoint)) return undefined;
  if (exporter && exporter !== "otlp") {
    faults.push(`OTEL_${signal}_EXPORTER is ${JSON.stringify(exporter.slice(0, 40))}: only otlp and none are known`);
    return undefined;
  }
  const protocol =
    (env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] || env["OTEL_EXPORTER_OTLP_PROTOCOL"])?.trim() || "http/protobuf";
  if (protocol === "http/protobuf" || protocol === "grpc") return protocol;
  faults.push(
    `OTEL_EXPORTER_OTLP_PROTOCOL is ${JSON.stringify(protocol.slice(0, 40))}: only http/protobuf and grpc are known`,
  );
  return undefined;
}

function samplingOf(env: Environment, faults: string[]): Sampling {
  const sampler = env["OTEL_TRACES_SAMPLER"]?.trim() || "parentbased_always_on";
  const match = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(sampler);
  if (match === null) {
    faults.push(`OTEL_TRACES_SAMPLER is ${JSON.stringify(sampler.slice(0, 40))}: parentbased_always_on is used`);
    return { parentBased: true, ratio: 1 };
  }
  const [, parent, kind] = match;
  const ratio = kind === "always_on" ? 1 : kind === "always_off" ? 0 : Number(env["OTEL_TRACES_SAMPLER_ARG"] || "1");
  if (ratio >= 0 && ratio <= 1) return { parentBased: parent !== undefined, ratio };
  faults.push("OTEL_TRACES_SAMPLER_ARG is no share from 0 to 1: 1 is used");
  return { parentBased: parent !== undefined, ratio: 1 };
}

function limitsOf(env: Environment, processor: "BSP" | "BLRP", delay: number, faults: string[]): QueueLimits {
  const queue = numberOf(env, `OTEL_${processor}_MAX_QUEUE_SIZE`, 2048, faults);
  const batch = numberOf(env, `OTEL_${processor}_MAX_EXPORT_BATCH_SIZE`, 512, faults);
  return {
    queue,
    batch: Math.min(queue, batch),
    delay: numberOf(env, `OTEL_${processor}_SCHEDULE_DELAY`, delay, faults),
  };
}

function numberOf(env: Environment, name: string, otherwise: number, faults: string[]): number {
  const text = env[name]?.trim();
  if (!text) return otherwise;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0 && value <= 1_000_000_000) return value;
  faults.push(`${name} is no whole number above 0: ${otherwise} is used`);
  return otherwise;
}

function resourceOf(
  env: Environment,
  self: { readonly service: string; readonly version: string; readonly instance: string },
  faults: string[],
): readonly Attribute[] {
  const attributes = new Map<string, string>([
    [names.SERVICE_NAME, self.service],
    [names.SERVICE_VERSION, self.version],
    [names.SERVICE_INSTANCE_ID, self.instance],
  ]);
  for (const pair of (env["OTEL_RESOURCE_ATTRIBUTES"] ?? "").split(",")) {
    const at = pair.indexOf("=");
    if (at <= 0) continue;
    try {
      attributes.set(pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim()));
    } catch {
      faults.push("OTEL_RESOURCE_ATTRIBUTES has a value that is not percent-encoded: it is left out");
    }
  }
  const service = env["OTEL_SERVICE_NAME"];
  if (service) attributes.set(names.SERVICE_NAME, service);
  return [...attributes];
}
