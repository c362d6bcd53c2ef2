// The operators' CA at a real API server, over years of a clock that the test moves.
import { X509Certificate } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDocument } from "../../operator/kube/document.ts";
import { keepAuthority, type KeptAuthority } from "../../operator/publish/keep-authority.ts";
import { quietLog } from "../../operator/publish/quiet.test-support.ts";
import { createFakeClock, type FakeClock } from "../../proxy/table/clock.test-support.ts";
import { startApiServer, type ApiServer } from "../harness/api-server.ts";
import { kubeClient } from "../harness/operator-in-process.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SECRET = "/api/v1/namespaces/default/secrets/ca";
const BUNDLE = "/api/v1/namespaces/default/configmaps/ca";

let api: ApiServer;
let clock: FakeClock;
const running: KeptAuthority[] = [];
const client = () => kubeClient(api.kubeconfig);

beforeAll(async () => {
  api = await startApiServer();
});
afterAll(() => api.stop());
beforeEach(() => {
  clock = createFakeClock();
});
afterEach(async () => {
  for (const one of running.splice(0)) one.close();
  await api.request("DELETE", SECRET);
  await api.request("DELETE", BUNDLE);
});

async function operator(): Promise<KeptAuthority> {
  const document = (kind: "Secret" | "ConfigMap") =>
    createDocument({
      client: client(),
      kind,
      namespace: "default",
      name: "ca",
      labels: {},
      signal: new AbortController().signal,
    });
  const kept = keepAuthority({
    gateway: "default",
    names: ["localhost"],
    secret: document("Secret"),
    bundle: document("ConfigMap"),
    clock,
    log: quietLog,
  });
  running.push(kept);
  // Who was slower than another looks again at once, but the clock stands still.
  while (kept.current === undefined) await kept.look();
  return kept;
}

async function bundle(): Promise<readonly string[]> {
  const { body } = await api.request("GET", BUNDLE);
  return (body.data?.["ca.crt"] ?? "").split(/(?<=-----END CERTIFICATE-----\n)/).filter((one) => one !== "");
}

/** Which of the certificates signed what the operator serves with; -1: none. */
function signer(kept: KeptAuthority, cas: readonly string[]): number {
  const serving = new X509Certificate(kept.current?.cert ?? "");
  return cas.findIndex((ca) => serving.verify(new X509Certificate(ca).publicKey));
}

describe("the CA", () => {
  test("is one for all, and each operator has a certificate of its own, renewed at half of its day", async () => {
    const [one, two] = await Promise.all([operator(), operator()]);
    await Promise.all([one.look(), two.look()]);
    const cas = await bundle();
    expect(cas).toHaveLength(1);
    expect([signer(one, cas), signer(two, cas)]).toEqual([0, 0]);
    expect(one.current?.cert).not.toBe(two.current?.cert);
    const before = one.current?.cert;
    clock.skip(11 * HOUR);
    await one.look();
    expect(one.current?.cert).toBe(before);
    clock.skip(2 * HOUR);
    await one.look();
    expect(one.current?.cert).not.toBe(before);
    expect(signer(one, cas)).toBe(0);
  });

  test("is renewed: known for an hour before it signs, and the old one until it expires", async () => {
    const kept = await operator();
    const [first = ""] = await bundle();
    clock.skip(250 * DAY);
    await kept.look();
    const both = await bundle();
    expect(both).toHaveLength(2);
    expect(both[0]).toBe(first);
    clock.skip(HOUR - 1000);
    await kept.look();
    expect(signer(kept, both)).toBe(0);
    clock.skip(1000);
    await kept.look();
    expect(signer(kept, both)).toBe(1);
    expect(await bundle()).toEqual([both[1], first]);
    clock.skip(116 * DAY);
    await kept.look();
    expect(await bundle()).toEqual([both[1]]);
  });

  test("outlives its Secret and its ConfigMap", async () => {
    const kept = await operator();
    const cas = await bundle();
    await api.request("DELETE", SECRET);
    await api.request("DELETE", BUNDLE);
    await kept.look();
    expect(await bundle()).toEqual(cas);
    const second = await operator();
    expect(signer(second, cas)).toBe(0);
  });

  test("that was damaged is neither used nor overwritten, and what is served goes on", async () => {
    const kept = await operator();
    const before = kept.current;
    const data = { "current.key": Buffer.from("nonsense").toString("base64") };
    await api.request("PATCH", SECRET, { data }, { "content-type": "application/merge-patch+json" });
    await kept.look();
    expect(kept.current).toBe(before);
    const { body } = await api.request("GET", SECRET);
    expect(body.data?.["current.key"]).toBe(data["current.key"]);
  });
});
