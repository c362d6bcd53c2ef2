// Election of the one replica that writes (a Lease of coordination.k8s.io). In: who we are. Out: who holds the Lease, told on
// each change. Expiry is judged by how long the record stood unchanged on our own clock, never by the stamps in it: clocks of
// two machines differ. The rules are those of client-go: renew deadline < lease duration, so a holder stops before another starts.
import type { Clock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import type { KubeClient } from "./client.ts";
import { sleep } from "./sleep.ts";
import { refusalOf } from "./status.ts";

const LEASES = "/apis/coordination.k8s.io/v1/namespaces";

export interface LeaseDeps {
  readonly client: Pick<KubeClient, "request">;
  readonly namespace: string;
  readonly name: string;
  /** Unique: the replica id. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** `holder`: identity of whoever holds it as far as we know. */
  readonly onChange: (holding: boolean, holder: string | undefined) => void;
  readonly durations?: Partial<typeof DURATIONS>;
}

/** Milliseconds. */
const DURATIONS = { lease: 15_000, renewDeadline: 10_000, retry: 2_000 };
/** Waits between tries are up to this much longer, by chance. */
const JITTER = 0.2;

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}
interface Lease {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: LeaseSpec;
}

/** RFC 3339 with microseconds: the API server refuses milliseconds here (metav1.MicroTime). */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}

/** Runs until the signal aborts, then gives the Lease back if it is held. Never throws. */
export async function runLease(deps: LeaseDeps): Promise<void> {
  const { client, clock, random, log, signal, identity, name } = deps;
  const durations = { ...DURATIONS, ...deps.durations };
  const collection = `${LEASES}/${encodeURIComponent(deps.namespace)}/leases`;
  const path = `${collection}/${encodeURIComponent(name)}`;
  let observed: { readonly lease: Lease; readonly at: number } | undefined;
  let renewedAt = 0;
  let told: { readonly holding: boolean; readonly holder: string | undefined } = { holding: false, holder: undefined };

  const tell = (holding: boolean): void => {
    const held = observed?.lease.spec.holderIdentity;
    const holder = held === undefined || held === "" ? undefined : held;
    if (holding === told.holding && holder === told.holder) return;
    if (holding !== told.holding) log.info({ lease: name, holding, holder }, "lease changed hands");
    told = { holding, holder };
    deps.onChange(holding, holder);
  };

  const observe = (lease: Lease): void => {
    if (observed?.lease.metadata.resourceVersion !== lease.metadata.resourceVersion)
      observed = { lease, at: clock.now() };
  };

  /** True: we hold it now. Throws on I/O. */
  const tryAcquireOrRenew = async (): Promise<boolean> => {
    const timeout = told.holding
      ? Math.max(renewedAt + durations.renewDeadline - clock.now(), 1)
      : durations.renewDeadline;
    const askedAt = clock.now();
    // Whoever holds it writes from what was seen last; a conflict brings the truth.
    if (!told.holding || observed === undefined) {
      const answer = await client.request({ method: "GET", path, timeout });
      if (answer.status === 404) {
        const made = await client.request({
          method: "POST",
          path: collection,
          timeout,
          body: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name }, spec: specNow(undefined) },
        });
        if (made.status !== 201) throw refused("create", made.status, made.body);
        return held(made.body as Lease, askedAt);
      }
      if (answer.status !== 200) throw refused("read", answer.status, answer.body);
      observe(answer.body as Lease);
    }
    if (observed === undefined) return false;
    const { spec, metadata } = observed.lease;
    const holder = spec.holderIdentity ?? "";
    const expired = observed.at + (spec.leaseDurationSeconds ?? 0) * 1000 <= clock.now();
    if (holder !== "" && holder !== identity && !expired) return false;
    const put = await client.request({
      method: "PUT",
      path,
      timeout,
      body: leaseBody(metadata.resourceVersion, specNow(spec)),
    });
    if (put.status === 409 || put.status === 404) {
      // Somebody else wrote. Look at it before the next try.
      const now = await client.request({ method: "GET", path, timeout });
      if (now.status === 200) observe(now.body as Lease);
      else observed = undefined;
      // Our own record, changed by hand, is still ours: the next try renews it.
      return false;
    }
    if (put.status !== 200) throw refused("update", put.status, put.body);
    return held(put.body as Lease, askedAt);
  };

  const held = (lease: Lease, askedAt: number): true => {
    observe(lease);
    renewedAt = askedAt;
    return true;
  };

  const specNow = (before: LeaseSpec | undefined): LeaseSpec => {
    const now = microTime(clock.now());
    const ours = before?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durations.lease / 1000),
      acquireTime: ours ? (before.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? -1) + (ours ? 0 : 1),
    };
  };

  const leaseBody = (resourceVersion: string, spec: LeaseSpec): object => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, resourceVersion },
    spec,
  });

  while (!signal.aborted) {
    let holding = told.holding;
    try {
      holding = await tryAcquireOrRenew();
      // A conflict while holding is not yet a loss, as long as nobody else is named.
      if (!holding && told.holding && observed?.lease.spec.holderIdentity === identity) holding = !deadlinePassed();
    } catch (error) {
      log.warn({ lease: name, err: error }, "lease could not be renewed");
      holding &&= !deadlinePassed();
    }
    tell(holding);
    const wait = durations.retry * (1 + random() * JITTER);
    await sleep(
      clock,
      holding ? Math.min(wait, Math.max(renewedAt + durations.renewDeadline - clock.now(), 0)) : wait,
      signal,
    );
  }
  if (told.holding) await release();

  function deadlinePassed(): boolean {
    return clock.now() >= renewedAt + durations.renewDeadline;
  }

  async function release(): Promise<void> {
    try {
      if (observed !== undefined) {
        const spec = { ...specNow(observed.lease.spec), holderIdentity: "", leaseDurationSeconds: 1 };
        await client.request({
          method: "PUT",
          path,
          timeout: 2_000,
          body: leaseBody(observed.lease.metadata.resourceVersion, spec),
        });
      }
    } catch (error) {
      log.warn({ lease: name, err: error }, "lease could not be given back");
    }
    observed = undefined;
    tell(false);
  }
}

function refused(what: string, status: number, body: unknown): Error {
  const { reason, message } = refusalOf(status, body);
  return new Error(`the API server refused to ${what} the Lease: ${reason} ${message}`);
}
