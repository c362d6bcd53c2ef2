import { expect, test } from "vitest";
import { readOtlpSettings } from "./settings.ts";

const self = { service: "parley-proxy", version: "1.2.3", instance: "pod-uid" };
const read = (env: Record<string, string>) => readOtlpSettings(env, self);
const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

test("nothing is exported unless an endpoint or an exporter is named", () => {
  expect(read({})).toEqual({ settings: undefined, faults: [] });
  expect(read({ ...ENDPOINT, OTEL_SDK_DISABLED: "true" }).settings).toBeUndefined();
  const none = { OTEL_TRACES_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" };
  expect(read({ ...ENDPOINT, ...none }).settings).toBeUndefined();
  const { settings } = read({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://collector:4318/v1/logs" });
  expect([settings?.traces, settings?.metrics]).toEqual([undefined, undefined]);
  expect(settings?.logs?.protocol).toBe("http/protobuf");
});

test("defaults are those of the OpenTelemetry specification", () => {
  expect(read(ENDPOINT)).toEqual({
    faults: [],
    settings: {
      traces: {
        protocol: "http/protobuf",
        sampling: { parentBased: true, ratio: 1 },
        limits: { queue: 2048, batch: 512, delay: 5000 },
      },
      logs: { protocol: "http/protobuf", limits: { queue: 2048, batch: 512, delay: 1000 } },
      metrics: { protocol: "http/protobuf", interval: 60_000 },
      resource: [
        ["service.name", "parley-proxy"],
        ["service.version", "1.2.3"],
        ["service.instance.id", "pod-uid"],
      ],
    },
  });
});

test.each([
  ["always_on", "0.5", false, 1],
  ["always_off", "", false, 0],
  ["traceidratio", "0.1", false, 0.1],
  ["parentbased_always_off", "", true, 0],
  ["parentbased_traceidratio", "0.25", true, 0.25],
  ["parentbased_traceidratio", "", true, 1],
])("sampler %s with %j", (sampler, argument, parentBased, ratio) => {
  const { settings } = read({ ...ENDPOINT, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument });
  expect(settings?.traces?.sampling).toEqual({ parentBased, ratio });
});

test("what is said for one signal counts more, and names are taken over", () => {
  const { settings } = read({
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/protobuf",
    OTEL_SERVICE_NAME: "edge",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=other,k8s.pod.name=a%20b,broken",
    OTEL_BLRP_MAX_QUEUE_SIZE: "100",
  });
  expect(settings?.traces?.protocol).toBe("grpc");
  expect(settings?.metrics?.protocol).toBe("http/protobuf");
  expect(settings?.logs?.limits).toEqual({ queue: 100, batch: 100, delay: 1000 });
  expect(settings?.resource).toContainEqual(["service.name", "edge"]);
  expect(settings?.resource).toContainEqual(["k8s.pod.name", "a b"]);
});

test("each fault is told, and the rest is exported", () => {
  const { settings, faults } = read({
    ...ENDPOINT,
    OTEL_TRACES_EXPORTER: "zipkin",
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/json",
    OTEL_METRIC_EXPORT_INTERVAL: "soon",
    OTEL_RESOURCE_ATTRIBUTES: "a=%",
  });
  expect(faults).toHaveLength(4);
  expect(settings?.traces).toBeUndefined();
  expect(settings?.logs).toBeUndefined();
  expect(settings?.metrics?.interval).toBe(60_000);
});
