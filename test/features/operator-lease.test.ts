// Two candidates for one Lease at a real API server.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runLease } from "../../operator/kube/lease.ts";
import { createClock } from "../../process/clock.ts";
import { startApiFaultProxy } from "../harness/api-fault-proxy.ts";
import type { ApiFaultProxy } from "../harness/api-fault-proxy.ts";
import { startApiServer } from "../harness/api-server.ts";
import type { ApiServer } from "../harness/api-server.ts";
import { quietLog } from "../../operator/publish/quiet.test-support.ts";
import { kubeClient } from "../harness/operator-in-process.ts";
import { eventually } from "../harness/processes.ts";

const LEASE = "/apis/coordination.k8s.io/v1/namespaces/default/leases/operator";
/** Long enough that a busy machine loses no Lease by itself. */
const LEASE_MS = 8_000;

describe("the Lease", () => {
  let api: ApiServer;
  let faults: ApiFaultProxy;
  beforeAll(async () => {
    api = await startApiServer();
    faults = await startApiFaultProxy(api);
  });
  afterAll(async () => {
    await faults.close();
    await api.stop();
  });

  function candidate(identity: string, kubeconfig: string) {
    const stop = new AbortController();
    const told: { holding: boolean; holder: string | undefined }[] = [];
    const ended = runLease({
      client: kubeClient(kubeconfig),
      namespace: "default",
      name: "operator",
      identity,
      clock: createClock(),
      random: Math.random,
      log: quietLog,
      signal: stop.signal,
      onChange: (holding, holder) => told.push({ holding, holder }),
      onRenewal: () => undefined,
      durations: { lease: LEASE_MS, renewDeadline: 5_000, retry: 200 },
    });
    return {
      told,
      holds: () => told.at(-1)?.holding === true,
      end: async () => {
        stop.abort();
        await ended;
      },
    };
  }

  it("goes from hand to hand: given back at once, taken over when its holder cannot renew, never in two hands", async () => {
    const a = candidate("a", faults.kubeconfig);
    await eventually("a leads", () => (a.holds() ? true : undefined));
    const b = candidate("b", api.kubeconfig);
    await eventually("b sees a", () => (b.told.at(-1)?.holder === "a" ? true : undefined));
    const { body } = await api.request("GET", LEASE);
    expect(body.spec).toMatchObject({
      holderIdentity: "a",
      leaseDurationSeconds: LEASE_MS / 1_000,
      leaseTransitions: 0,
    });
    expect(body.spec?.["renewTime"]).toMatch(/\.\d{6}Z$/);

    // The network of a is cut: it stops by itself, before b may begin.
    faults.setUp(false);
    await eventually("a stops", () => {
      expect(a.holds() && b.holds()).toBe(false);
      return a.holds() ? undefined : true;
    });
    expect(b.holds()).toBe(false);
    await eventually("b leads", () => (b.holds() ? true : undefined));
    faults.setUp(true);
    await eventually("a sees b", () => (a.told.at(-1)?.holder === "b" ? true : undefined));

    const startedAt = performance.now();
    await b.end();
    await eventually("a leads again", () => (a.holds() ? true : undefined));
    expect(performance.now() - startedAt).toBeLessThan(LEASE_MS / 2);
    await a.end();
    expect((await api.request("GET", LEASE)).body.spec).toMatchObject({ holderIdentity: "", leaseTransitions: 2 });
  });
});
