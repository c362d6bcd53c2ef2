import { describe, expect, test } from "vitest";
import { embeddedProxyConfig, parseProxyConfig } from "./config.ts";

const parse = (argv: string[], env: Record<string, string> = {}) =>
  parseProxyConfig({ argv, env, randomId: () => "random-id" });
const OPERATOR = "--operators=http://127.0.0.1:8444";
const DEFAULTS = {
  listen: { host: "127.0.0.1", port: 8080 },
  adminListen: { host: "127.0.0.1", port: 9090 },
  gatewayName: "default",
  lastGood: undefined,
  drainDelay: 5000,
  drainTimeout: 20_000,
  maxBuffered: 268_435_456,
  maxBufferedPerKey: 67_108_864,
  headersTimeout: 10_000,
  bodyTimeout: 30_000,
  keepAliveTimeout: 75_000,
  metricsLabels: ["agent", "operation", "backend", "key", "team"],
  logLevel: "info",
  logRequests: "on",
  logFormat: "auto",
};

describe("the proxy's configuration", () => {
  test("needs nothing but operators", () => {
    expect(parse([OPERATOR])).toEqual({
      kind: "run",
      config: { ...DEFAULTS, operators: ["http://127.0.0.1:8444"], proxyId: "random-id" },
    });
  });

  test("comes from flags and environment", () => {
    const parsed = parse(["--listen=:8080", "--drain-delay=0s", "--max-buffered-per-key=1Mi"], {
      PARLEY_OPERATORS: "http://a:1/, http://b:2",
      PARLEY_GATEWAY_NAME: "blue",
      PARLEY_LAST_GOOD: "/var/run/parley/table",
      POD_UID: "7d4c-uid",
      PARLEY_PORT: "tcp://10.0.0.1:8080",
    });
    expect(parsed).toMatchObject({
      config: {
        listen: { host: "::", port: 8080 },
        operators: ["http://a:1", "http://b:2"],
        gatewayName: "blue",
        proxyId: "7d4c-uid",
        lastGood: "/var/run/parley/table",
        drainDelay: 0,
        maxBufferedPerKey: 1_048_576,
      },
    });
  });

  test("reports all faults at once", () => {
    expect(parse(["--listen=8080", "--gateway-name=Blue", "--drain-timeout=20", "--log-level=loud"])).toEqual({
      kind: "faults",
      faults: [
        '--listen: "8080" is not valid: write host:port, as 127.0.0.1:8080, [::1]:8080 or :8080',
        "--operators is missing: write --operators=URL,…, or set PARLEY_OPERATORS",
        '--gateway-name: "Blue" is not valid: write a name of lower-case letters, digits and hyphens',
        '--drain-timeout: "20" is not valid: write a duration, as 30s, 500ms or 1m30s',
        '--log-level: "loud" is not valid: write one of trace, debug, info, warn, error, silent',
      ],
    });
  });

  test("finds what does not fit together", () => {
    expect(parse(["--operators=,", "--max-buffered=1Mi"])).toEqual({
      kind: "faults",
      faults: [
        "--operators names none: write --operators=URL, or set PARLEY_OPERATORS",
        "--max-buffered-per-key is more than --max-buffered: write the same or less",
      ],
    });
  });

  test.each([
    ["--tls-cert=a", "--tls-cert and --tls-key belong together: write both"],
    ["--token-file=t", "--operators names http://o:7700: with --operator-ca or --token-file write https URLs"],
    ["--operator-ca=c", "--operators names http://o:7700: with --operator-ca or --token-file write https URLs"],
  ])("refuses %s on its own", (argument, fault) => {
    expect(parse(["--operators=http://o:7700", argument])).toEqual({ kind: "faults", faults: [fault] });
  });

  test("has help that names every option", () => {
    const parsed = parse(["--help"]);
    const help = parsed.kind === "help" ? parsed.text : "";
    for (const flag of ["--listen", "--operators", "--last-good", "--drain-timeout", "--log-format"])
      expect(help).toContain(flag);
    // Kubernetes sets such variables itself, for Services whose names begin with "parley".
    expect(help).not.toMatch(/env PARLEY_[A-Z_]*(PORT|SERVICE_HOST)\b/);
  });
});

test("a proxy in the process of its table has the same defaults, and no operators", () => {
  const config = embeddedProxyConfig({ listen: { host: "127.0.0.1", port: 4000 }, proxyId: "serve", logLevel: "warn" });
  expect(config).toEqual({
    ...DEFAULTS,
    listen: { host: "127.0.0.1", port: 4000 },
    operators: [],
    proxyId: "serve",
    logLevel: "warn",
  });
});
