import { Registry } from "prom-client";
import { afterEach, expect, test, vi } from "vitest";
import { createClock } from "../../../process/clock.ts";
import { startOtlp } from "./start.ts";

afterEach(() => vi.unstubAllEnvs());

test.each([
  ["headers of no gRPC", { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20s3cret%0Ax" }],
  ["a name of no header", { OTEL_EXPORTER_OTLP_HEADERS: "s3cret key=value" }],
  ["an address of nothing", { OTEL_EXPORTER_OTLP_ENDPOINT: "s3cret::none" }],
])("%s export nothing and are told without what they hold; the process goes on", async (_, more) => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc", ...more };
  // The exporters read the process's own.
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const told: unknown[] = [];
  const started = await startOtlp({
    env,
    service: "parley-proxy",
    instance: "pod-uid",
    version: "1.2.3",
    registry: new Registry(),
    clock: createClock(),
    log: { warn: (...line) => void told.push(line) },
  });
  expect(started).toBeUndefined();
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told)).toContain("OTEL_EXPORTER_OTLP_ENDPOINT");
  expect(JSON.stringify(told)).not.toContain("s3cret");
});
