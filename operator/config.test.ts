import { describe, expect, it } from "vitest";
import { parseOperatorConfig } from "./config.ts";

const parse = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  parseOperatorConfig({ argv, env, randomId: () => "random-id" });

describe("parseOperatorConfig", () => {
  it("has defaults that reach nobody but this machine", () => {
    expect(parse([])).toEqual({
      kind: "run",
      config: {
        gatewayName: "default",
        replica: "random-id",
        kubeconfig: undefined,
        namespaces: [],
        leaseName: "parley-operator-default",
        leaseNamespace: "default",
        leaseDuration: 15_000,
        listen: { host: "127.0.0.1", port: 7700 },
        adminListen: { host: "127.0.0.1", port: 9091 },
        publicUrl: undefined,
        trustedProxies: [],
        allowedUpstreams: [],
        proxyService: undefined,
        proxyServiceAccount: undefined,
        tls: "off",
        tlsCaName: "parley-operator-default-ca",
        tlsCert: undefined,
        tlsKey: undefined,
        tlsNames: ["localhost", "127.0.0.1", "::1"],
        tokenAudience: "parley-operator",
        logLevel: "info",
        logFormat: "auto",
      },
    });
  });

  it("reads every option", () => {
    const parsed = parse([
      "--gateway-name=eu",
      "--replica=op-1",
      "--kubeconfig=/etc/kube/config",
      "--namespaces=agents,shared",
      "--lease-namespace=parley",
      "--lease-name=parley.eu",
      "--lease-duration=20s",
      "--proxy-service=parley/parley-proxy",
      "--listen=[::]:7700",
      "--admin-listen=:9000",
      "--public-url=https://gateway.example.com/eu/",
      "--trusted-proxies=10.0.0.0/8",
      "--allowed-upstreams=127.0.0.0/8,fd00::/8",
      "--log-level=debug",
      "--log-format=json",
    ]);
    expect(parsed).toMatchObject({
      kind: "run",
      config: {
        gatewayName: "eu",
        replica: "op-1.random-id",
        kubeconfig: "/etc/kube/config",
        namespaces: ["agents", "shared"],
        leaseName: "parley.eu",
        leaseNamespace: "parley",
        leaseDuration: 20_000,
        proxyService: { namespace: "parley", name: "parley-proxy" },
        listen: { host: "::", port: 7700 },
        publicUrl: "https://gateway.example.com/eu",
        trustedProxies: ["10.0.0.0/8"],
        allowedUpstreams: ["127.0.0.0/8", "fd00::/8"],
      },
    });
  });

  it("takes identity and namespace from the pod", () => {
    const parsed = parse([], { POD_UID: "pod-uid", POD_NAMESPACE: "parley-system" });
    expect(parsed).toMatchObject({ config: { replica: "pod-uid.random-id", leaseNamespace: "parley-system" } });
  });

  it("refuses a Lease that a slow answer would lose", () => {
    expect(parse(["--lease-duration=1s"])).toMatchObject({
      kind: "faults",
      faults: [expect.stringContaining("--lease-duration")],
    });
  });

  it.each([
    [["--tls=files"], "--tls=files needs --tls-cert=PATH and --tls-key=PATH"],
    [["--tls-cert=a", "--tls-key=b"], "--tls-cert and --tls-key are not used: write --tls=files"],
    [["--tls=auto", "--listen=:7700"], "--tls without --proxy-service-account gives the table to everybody"],
    [["--proxy-service-account=a/b", "--listen=:7700"], "--proxy-service-account without TLS sends tokens in clear"],
    [["--proxy-service-account=b"], '--proxy-service-account: "b" is not valid: write NAMESPACE/NAME'],
  ])("refuses %j", (argv, fault) => {
    expect(parse(argv)).toEqual({ kind: "faults", faults: [expect.stringContaining(fault)] });
  });

  it("takes ceilings, of which there are none by default", () => {
    const argv = ["--ceiling-request-bytes=1Mi", "--ceiling-logging-content=Metadata", "--ceiling-first-byte=1m"];
    expect(parse(argv)).toMatchObject({
      config: {
        ceilingRequestBytes: 1024 ** 2,
        ceilingLoggingContent: "Metadata",
        ceilingFirstByte: 60_000,
        ceilingStreamIdle: undefined,
      },
    });
  });

  it("tells all faults at once", () => {
    const parsed = parse(["--listen=nowhere", "--gateway-name=Not_OK", "--allowed-upstreams=10.0.0.0/99", "--bogus"]);
    expect(parsed.kind === "faults" ? parsed.faults.map((fault) => fault.split(":")[0]) : parsed).toEqual([
      '"--bogus" is no option',
      "--gateway-name",
      "--allowed-upstreams",
      "--listen",
    ]);
  });
});
