// Election of the one replica that writes (a Lease of coordination.k8s.io). In: who we are. Out: who holds the Lease, told on
// each change. Expiry is judged by how long the record stood unchanged on our own clock, never by the stamps in it: clocks of
// two machines differ. The rules are those of client-go: renew deadline < lease duration, so a holder stops before another starts.
import type { Clock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import { causeOf } from "./cause.ts";
import type { KubeAnswer, KubeClient, KubeRequest } from "./client.ts";
import { microTime } from "./micro-time.ts";
import { sleep } from "./sleep.ts";
import { refusalOf } from "./refusal.ts";
import type { Renewed } from "./term.ts";

/** Path of a Lease. */
export const leasePath = (namespace: string, name: string): string =>
  `${leasesPath(namespace)}/${encodeURIComponent(name)}`;
export const leasesPath = (namespace: string): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;

export type Annotations = Readonly<Record<string, string>>;

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
  /** Told before `onChange`, after each try to renew what is held. Undefined: it failed. */
  readonly onRenewal: (renewed: Renewed | undefined) => void;
  /** Told whenever the Lease is seen in another state than before. */
  readonly onSeen?: (lease: { readonly uid: string; readonly annotations: Annotations }) => void;
  /** What the Lease's annotations should be, asked before each write of its holder; as they are by default. */
  readonly annotate?: (annotations: Annotations) => Annotations;
  readonly durations: LeaseDurations;
}

/** Milliseconds. A holder stops by itself `renewDeadline` after its last renewal, another begins `lease` after it. */
export interface LeaseDurations {
  readonly lease: number;
  readonly renewDeadline: number;
  readonly retry: number;
}

/** In the proportions of client-go: 15 s, 10 s and 2 s. */
export const leaseDurations = (lease: number): LeaseDurations => ({
  lease,
  renewDeadline: (lease * 2) / 3,
  retry: (lease * 2) / 15,
});

/** Milliseconds after which a renewal is overdue that has not been answered, if tries are not closer together. */
const ANSWER = 2_000;
/** Milliseconds for each request of giving it back: three fit in the time that a process has to end. */
const RELEASE = 2_000;
/** Milliseconds between two lines about renewals that fail. */
const FAILURE_EVERY = 30_000;
/** Waits between tries are up to this much longer, by chance. */
const JITTER = 0.2;

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}
/** What we read of it. The rest is written back as it is: an update takes away what it does not say. */
interface Lease {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly uid?: string;
    readonly annotations?: Annotations;
  };
  readonly spec?: LeaseSpec;
}

/** Runs until the signal aborts, then gives the Lease back if it is held. Never throws. */
export async function runLease(deps: LeaseDeps): Promise<void> {
  const { client, clock, random, log, signal, identity, name } = deps;
  const { durations } = deps;
  const collection = leasesPath(deps.namespace);
  const path = leasePath(deps.namespace, name);
  /** All times are of `clock.elapsed()`: a step of the wall clock must neither end nor prolong a Lease. */
  let observed: { readonly lease: Lease; readonly at: number } | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;
  /** A write went out whose answer has not come: it may be ours without our knowing. */
  let unanswered = false;
  let told: { readonly holding: boolean; readonly holder: string | undefined } = { holding: false, holder: undefined };

  const tell = (holding: boolean): void => {
    const held = observed?.lease.spec?.holderIdentity;
    const holder = held === undefined || held === "" ? undefined : held;
    if (holding === told.holding && holder === told.holder) return;
    if (holding !== told.holding) log.info({ lease: name, holding, holder }, "lease changed hands");
    told = { holding, holder };
    deps.onChange(holding, holder);
  };

  const observe = (lease: Lease): void => {
    const { resourceVersion, uid = "", annotations = {} } = lease.metadata;
    if (observed?.lease.metadata.resourceVersion === resourceVersion) return;
    // Whoever writes annotations has not renewed it.
    const before = observed;
    const stands = before !== undefined && JSON.stringify(before.lease.spec) === JSON.stringify(lease.spec);
    observed = { lease, at: stands ? before.at : clock.elapsed() };
    deps.onSeen?.({ uid, annotations });
  };

  /** True: we hold it now. Throws on I/O. */
  const tryAcquireOrRenew = async (): Promise<boolean> => {
    const askedAt = clock.elapsed();
    const deadline = (told.holding ? renewedAt : askedAt) + durations.renewDeadline;
    const ask = async (request: KubeRequest): Promise<KubeAnswer> => {
      unanswered ||= request.method !== "GET";
      const answer = await client.request({ ...request, timeout: Math.max(deadline - clock.elapsed(), 1), signal });
      unanswered = false;
      return answer;
    };
    // Whoever holds it writes from what was seen last; a conflict brings the truth.
    if (!told.holding || observed === undefined) {
      const answer = await ask({ method: "GET", path });
      if (answer.status === 404) {
        const made = await ask({
          method: "POST",
          path: collection,
          body: leaseBody({}, specNow(undefined)),
        });
        if (made.status === 409) return lookAgain(ask);
        if (made.status !== 201) throw refused("create", made.status, made.body);
        return held(made.body as Lease, askedAt);
      }
      if (answer.status !== 200) throw refused("read", answer.status, answer.body);
      observe(answer.body as Lease);
    }
    if (observed === undefined) return false;
    const { spec = {}, metadata } = observed.lease;
    const holder = spec.holderIdentity ?? "";
    const expired = observed.at + (spec.leaseDurationSeconds ?? 0) * 1000 <= clock.elapsed();
    if (holder !== "" && holder !== identity && !expired) return false;
    const put = await ask({ method: "PUT", path, body: leaseBody(metadata, specNow(spec)) });
    if (put.status === 409 || put.status === 404) return lookAgain(ask);
    if (put.status !== 200) throw refused("update", put.status, put.body);
    return held(put.body as Lease, askedAt);
  };

  /** Somebody else wrote: before the next try. Our own record, changed by hand, is still ours: that try renews it. */
  const lookAgain = async (ask: typeof client.request): Promise<false> => {
    const now = await ask({ method: "GET", path });
    if (now.status === 200) observe(now.body as Lease);
    else observed = undefined;
    return false;
  };

  const held = (lease: Lease, askedAt: number): true => {
    observe(lease);
    renewedAt = askedAt;
    const { retry, renewDeadline } = durations;
    deps.onRenewal({
      expected: askedAt + retry * (1 + JITTER) + Math.min(ANSWER, retry),
      until: askedAt + renewDeadline,
    });
    return true;
  };

  const specNow = (before: LeaseSpec | undefined): LeaseSpec => {
    const now = microTime(clock.now());
    const ours = before?.holderIdentity === identity;
    return {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durations.lease / 1000),
      acquireTime: ours ? (before.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? -1) + (ours ? 0 : 1),
    };
  };

  const leaseBody = ({ annotations = {}, ...kept }: Partial<Lease["metadata"]>, spec: LeaseSpec): object => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { ...kept, name, annotations: deps.annotate?.(annotations) ?? annotations },
    spec,
  });

  let toldAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    let holding = told.holding;
    try {
      holding = await tryAcquireOrRenew();
      // A conflict while holding is not yet a loss, as long as nobody else is named.
      if (!holding && told.holding) deps.onRenewal(undefined);
      if (!holding && told.holding && observed?.lease.spec?.holderIdentity === identity) holding = true;
      // The answer may have waited while this process was stopped.
      holding &&= !deadlinePassed();
    } catch (error) {
      if (told.holding) deps.onRenewal(undefined);
      if (!signal.aborted && clock.elapsed() - toldAt >= FAILURE_EVERY) {
        toldAt = clock.elapsed();
        const cause = causeOf(error);
        log.warn({ lease: name, cause }, "lease could not be renewed");
      }
      holding &&= !deadlinePassed();
    }
    tell(holding);
    const wait = durations.retry * (1 + random() * JITTER);
    await sleep(
      clock,
      holding ? Math.min(wait, Math.max(renewedAt + durations.renewDeadline - clock.elapsed(), 0)) : wait,
      signal,
    );
  }
  if (told.holding || unanswered) await release();

  function deadlinePassed(): boolean {
    return clock.elapsed() >= renewedAt + durations.renewDeadline;
  }

  /** Gives the HTTP status. */
  async function giveBack(): Promise<number | undefined> {
    if (observed === undefined) return undefined;
    const { spec = {}, metadata } = observed.lease;
    const free = { ...specNow(spec), holderIdentity: "", leaseDurationSeconds: 1 };
    const body = leaseBody(metadata, free);
    return (await client.request({ method: "PUT", path, timeout: RELEASE, body })).status;
  }

  async function release(): Promise<void> {
    const sure = told.holding;
    // Whoever writes stops before another may begin.
    tell(false);
    try {
      // A write that was cut short may have been taken all the same: then the record is another, and ours.
      if (!sure || (await giveBack()) === 409) {
        const now = await client.request({ method: "GET", path, timeout: RELEASE });
        if (now.status === 200) observe(now.body as Lease);
        if (observed?.lease.spec?.holderIdentity === identity) await giveBack();
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
