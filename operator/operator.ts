// The operator as a list of parts in the order in which data flows through them. In: a configuration and a way to the API server.
// Out: a process that keeps proxies and statuses up to the objects, until it is closed.
import type { Registry } from "prom-client";
import type { Clock } from "../process/clock.ts";
import type { ListenAddress } from "../process/listen-address.ts";
import type { Log } from "../process/log.ts";
import { createAdmin } from "../process/admin.ts";
import { adminRoutes } from "./admin.ts";
import type { OperatorConfig } from "./config.ts";
import { createDiscovery } from "./discover/discovery.ts";
import { createHeld } from "./held.ts";
import { createApplyStatus } from "./kube/apply.ts";
import type { KubeClient } from "./kube/client.ts";
import { createEvents } from "./kube/events.ts";
import { createFailureLog } from "./kube/failure-log.ts";
import { ensureKeySecret } from "./kube/key-secrets.ts";
import { leaseDurations, runLease } from "./kube/lease.ts";
import { lookAtSecret } from "./kube/look-at-secret.ts";
import { reflect } from "./kube/reflector.ts";
import { KINDS } from "./kube/resources.ts";
import { createTerm } from "./kube/term.ts";
import { createTurns } from "./kube/turns.ts";
import { createLoop } from "./loop.ts";
import { createOperatorMetrics } from "./metrics.ts";
import { createPublisher } from "./publish/publisher.ts";
import { createStreamServer } from "./publish/stream-server.ts";
import type { StreamServer } from "./publish/stream-server.ts";
import type { Ref } from "./objects.ts";
import { createRelists } from "./relists.ts";
import type { Scope } from "./relists.ts";
import { createSecrets } from "./secrets.ts";
import { proxiesOf } from "./status/proxies.ts";
import { createStatusWriter } from "./status/writer.ts";
import { createStore } from "./store.ts";
import { secureStream } from "./stream-security.ts";
import type { StreamSecurity } from "./stream-security.ts";
import { SUMMARY_ANNOTATION, writeSummary } from "./summary.ts";
import { createTranslation } from "./translate/engine.ts";

export interface OperatorDeps {
  readonly config: OperatorConfig;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly registry: Registry;
}

export interface Operator {
  /** Opens both listeners and begins to read the API server, which may be down: that is waited for, not an error. */
  start(): Promise<{ readonly stream: ListenAddress; readonly admin: ListenAddress }>;
  /** Gives the Lease back, ends streams and watches. */
  close(): Promise<void>;
}

/** Nothing happens before `start`. */
export function createOperator(deps: OperatorDeps): Operator {
  const { config, client, clock, random, log, registry } = deps;
  const { gatewayName: gateway, replica } = config;
  const stopping = new AbortController();
  const { signal } = stopping;
  const { proxyService } = config;
  const scopes = scopesOf(config.namespaces, proxyService?.namespace);
  const kinds = [...new Set(scopes.map(({ kind }) => kind))];
  const metrics = createOperatorMetrics(registry, kinds);
  let lease: { readonly holding: boolean; readonly holder: string | undefined } = { holding: false, holder: undefined };
  const term = createTerm({ now: () => clock.elapsed() });
  /** This process names itself only while that is sure: proxies leave it at once when it is not. */
  const claims = (): boolean => lease.holding && term.claims;
  const holder = (): string | undefined => {
    if (claims()) return replica;
    return lease.holder === replica ? undefined : lease.holder;
  };

  // 1. Objects as they were read last.
  const store = createStore({ gatewayName: gateway });
  const relists = createRelists(store);

  // 2. Objects to rows and findings, pure.
  const translation = createTranslation({
    store,
    settings: {
      gatewayName: gateway,
      publicUrl: config.publicUrl,
      trustedProxies: config.trustedProxies,
      allowedUpstreams: config.allowedUpstreams,
      ceilings: {
        maxRequestBytes: config.ceilingRequestBytes,
        loggingContent: config.ceilingLoggingContent,
        firstByte: config.ceilingFirstByte,
        streamIdle: config.ceilingStreamIdle,
      },
      exemptTokens: [],
      // Namespaces are no part of a namespace: with Roles alone they cannot be read.
      selectors: config.namespaces.length === 0,
    },
    isHeld: (ref) => relists.isHeld(ref),
    onError: (ref, error) => log.error({ object: ref, err: error }, "translation of an object failed"),
  });

  // 3. Rows to proxies, and what proxies serve of them.
  const publisher = createPublisher({
    gateway,
    replica,
    holder,
    reach: () => loop.reach,
    clock,
    log,
    metrics: metrics.publisher,
  });
  let streams: StreamServer | undefined;
  let security: StreamSecurity | undefined;
  const listenForProxies = async (): Promise<ListenAddress> => {
    security = await secureStream({ config, client, clock, log, refused: metrics.refused });
    const { authenticate, certificate } = security;
    streams = createStreamServer({
      publisher,
      gateway,
      listen: config.listen,
      authenticate,
      certificate,
      clock,
      log,
    });
    return streams.listen();
  };

  // 4. Findings and acknowledgements to statuses and Events: only while the Lease is held.
  const events = createEvents({ client, replica, clock, random, log, signal, observe: metrics.event });
  const status = createStatusWriter({
    read: (ref) => store.get(ref),
    proxies: () =>
      proxyService === undefined
        ? publisher.proxies()
        : proxiesOf(store.slicesOf(proxyService.namespace, proxyService.name), publisher.proxies()),
    sent: () => publisher.state.sequence,
    mayWrite: () => lease.holding && term.holds,
    write: createApplyStatus(client),
    emit: (about, { type, reason, condition, message }) =>
      events.emit({ about, type, reason, action: condition, note: message === "" ? reason : message }),
    clock,
    random,
    log,
    metrics: metrics.status,
  });
  publisher.onProxies(() => status.proxiesChanged());

  // 5. What the leader adds to the objects: tokens for keys that name none, what the agents' cards say.
  const secrets = createSecrets({
    store,
    ensure: (key, until) => ensureKeySecret(client, key, until),
    look: (namespace, name, until) => lookAtSecret(client, namespace, name, until),
    override: (target, type, finding) => status.override(target, type, finding),
    clock,
    random,
    log,
  });

  const discovery = createDiscovery({
    store,
    settings: config,
    clock,
    random,
    log,
    signal,
    onFindings: (agent, backends, finding) => status.discovered(agent, backends, finding),
    onRead: metrics.cardRead,
  });

  // 6. The loop that drives 1 to 5 by what the API server says.
  const loop = createLoop({
    store,
    relists,
    translation,
    publisher,
    status,
    onHeld: (now) => held.set(now),
    onTurn: (refs, results) => {
      if (proxyService !== undefined && hasSliceIn(refs, proxyService.namespace)) status.proxiesChanged();
      secrets.turn(refs, results);
      // Before everything was translated once, nobody would know the agents that the findings are about.
      if (!publisher.isOpen) return;
      status.lead(lease.holding);
      discovery.lead(lease.holding);
      discovery.poke(refs);
    },
    scopes,
    now: () => clock.elapsed(),
    log,
    translated: metrics.translated,
  });

  // 7. What is held until an administrator has looked at it: told on the Lease, which is where the answer comes from.
  let leaseUid = "";
  const held = createHeld({
    confirm: (ids) => loop.confirm(ids),
    lease: { namespace: config.leaseNamespace, name: config.leaseName },
    warn: (note) => {
      const about = { kind: "Lease", namespace: config.leaseNamespace, name: config.leaseName, uid: leaseUid } as const;
      events.emit({ about, type: "Warning", reason: "RelistHeld", action: "Held", note });
    },
    now: () => clock.elapsed(),
  });

  // 8. What can be seen of it.
  const admin = createAdmin({
    listen: config.adminListen,
    registry,
    log,
    unready: () => {
      if (!loop.synced) return [`not read yet from ${client.server}: ${loop.missing.join(", ")}`];
      return publisher.isOpen ? [] : ["not everything was translated yet"];
    },
    notes: () => held.notes(),
    routes: adminRoutes({ publisher, replica, holder, now: () => clock.now() }),
  });
  metrics.watch({
    objects: (kind) => store.size(kind),
    rows: () => publisher.state.rows,
    subscribers: (kind) =>
      publisher.proxies().filter(({ lost, standby }) => lost !== true && standby === (kind === "standby")).length,
    // A proxy tells an operator that stands by less often.
    lag: () =>
      publisher
        .proxies()
        .filter(({ standby }) => !standby)
        .map(({ proxy, acked }) => ({ proxy, batches: publisher.state.sequence - (acked?.sequence ?? 0) })),
    held: (kind) => relists.count(kind),
    synced: (kind) => loop.isSynced(kind),
    statusesWaiting: () => status.waiting,
    version: () => publisher.state.version,
    claims,
  });

  const failures = createFailureLog({ log, now: () => clock.elapsed() });
  const turns = createTurns({ now: () => clock.elapsed() });
  const follow = async (scope: Scope): Promise<void> => {
    const observe = metrics.reflector(scope.kind);
    const reached = (version: string): void => loop.reached(scope, version);
    const from = { client, ...scope, clock, random, log, failures, signal, turns, reached, observe };
    for await (const change of reflect(from)) loop.take(scope, change);
  };
  const lead = (holding: boolean, holder: string | undefined): void => {
    lease = { holding, holder };
    metrics.leader(holding);
    publisher.beat();
    if (publisher.isOpen) status.lead(holding);
    secrets.lead(holding);
    if (publisher.isOpen) discovery.lead(holding);
  };
  const elect = (): Promise<void> =>
    runLease({
      client,
      namespace: config.leaseNamespace,
      name: config.leaseName,
      identity: replica,
      clock,
      random,
      log,
      signal,
      onChange: lead,
      onSeen: ({ uid, annotations }) => {
        leaseUid = uid;
        held.seen(annotations);
      },
      annotate: (annotations) => ({
        ...held.annotate(annotations),
        [SUMMARY_ANNOTATION]: writeSummary(gateway, publisher),
      }),
      onRenewal: (renewed) => {
        const claimed = claims();
        term.renewal(renewed);
        if (renewed === undefined) metrics.renewalFailed();
        if (claims() !== claimed) publisher.beat();
        if (publisher.isOpen) status.lead(lease.holding);
      },
      durations: leaseDurations(config.leaseDuration),
    });
  let running: readonly Promise<void>[] = [];

  return {
    start: async () => {
      const addresses = { stream: await listenForProxies(), admin: await admin.listen() };
      log.info({ replica, gateway, api_server: client.server }, "operator runs");
      running = [...scopes.map(follow), elect()];
      return addresses;
    },
    close: async () => {
      stopping.abort();
      status.close();
      await Promise.all(running);
      await security?.close();
      await streams?.close();
      await admin.close();
      await client.close();
    },
  };
}

/**
 * What is listed and watched. With namespaces named, each of them by itself, and no Namespaces.
 * @param ofProxies namespace of the proxies' Service, whose endpoints are read wherever it is
 */
function scopesOf(namespaces: readonly string[], ofProxies: string | undefined): readonly Scope[] {
  if (namespaces.length === 0) return KINDS.map((kind) => ({ kind }));
  const scopes: Scope[] = KINDS.filter((kind) => kind !== "Namespace").flatMap((kind) =>
    namespaces.map((namespace) => ({ kind, namespace })),
  );
  if (ofProxies === undefined || namespaces.includes(ofProxies)) return scopes;
  return [...scopes, { kind: "EndpointSlice", namespace: ofProxies }];
}

function hasSliceIn(refs: Iterable<Ref>, namespace: string): boolean {
  for (const ref of refs) if (ref.startsWith(`EndpointSlice/${namespace}/`)) return true;
  return false;
}
