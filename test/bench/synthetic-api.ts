// An API server that holds no objects: it makes each from its number when it is asked. In: how many. Out: lists, watches, the Lease and
// a place for statuses over HTTP, as far as an operator asks for them; edits on demand, and lists that are to be read again.
import { hash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface SyntheticApi {
  readonly url: string;
  /** Changes who owns a key, which is one row. */
  editKey(index: number): void;
  /** Ends all watches with 410, so that every kind is listed anew. */
  expire(): void;
  /** Statuses that were written. */
  readonly writes: number;
  readonly lists: number;
  close(): void;
}

type Made = Record<string, unknown>;
const NAMESPACES = 20;
const pad = (index: number): string => String(index).padStart(6, "0");
const namespaceOf = (index: number): string => `team-${index % NAMESPACES}`;
const uid = (kind: number, index: number): string => `${pad(kind)}00-0000-4000-8000-${String(index).padStart(12, "0")}`;
const TIME = "2026-01-01T00:00:00Z";

/** @param size agents, each with an interface read, and keys with a Secret that was made for them */
export async function startSyntheticApi(size: {
  readonly agents: number;
  readonly keys: number;
}): Promise<SyntheticApi> {
  const services = Math.ceil(size.agents / 10);
  const edits = new Map<number, { count: number; version: string }>();
  /** Statuses that the operator wrote, by plural and number. */
  const written = new Map<string, { readonly status: unknown; readonly version: string }>();
  const watches = new Map<string, Set<ServerResponse>>();
  let version = 1_000_000;
  let writes = 0;
  let lists = 0;
  let lease: Made | undefined;
  let port = 0;

  const metadata = (kind: number, index: number, name: string, more: Made = {}): Made => ({
    namespace: namespaceOf(index),
    name,
    uid: uid(kind, index),
    generation: 1,
    resourceVersion: String(kind * 100_000_000 + index),
    creationTimestamp: TIME,
    ...more,
    managedFields: [
      {
        manager: "kubectl",
        operation: "Apply",
        apiVersion: "v1",
        time: TIME,
        fieldsV1: { "f:spec": { "f:agents": {} } },
      },
      { manager: "parley-operator", operation: "Apply", subresource: "status", fieldsV1: { "f:status": {} } },
    ],
  });
  const conditions = (types: readonly (readonly [string, string])[]): Made[] =>
    types.map(([type, message]) => ({
      type,
      status: "True",
      observedGeneration: 1,
      lastTransitionTime: TIME,
      reason: type === "Discovered" ? "CardsRead" : type,
      message,
    }));
  const agent = (index: number): Made =>
    withWritten("a2aagents", index, undefined, {
      metadata: metadata(1, index, `agent-${pad(index)}`, { labels: { team: `blue-${index % 50}` } }),
      spec: {
        gatewayName: "default",
        backends: [{ name: "main", service: { name: `service-${pad(serviceOf(index))}`, port: 80 } }],
      },
      status: {
        observedGeneration: 1,
        conditions: conditions([
          ["Ready", ""],
          ["Accepted", "The spec is valid."],
          ["ResolvedRefs", "All Services and Secrets were found."],
          ["Discovered", "The cards of all backends were read."],
          ["Programmed", "Every connected proxy serves this generation."],
        ]),
        url: `/a2a/agent-${pad(index)}`,
        versions: "1.0",
        readyEndpoints: 1,
        knownEndpoints: 1,
        backends: [
          {
            name: "main",
            interfaces: [{ binding: "JSONRPC", version: "1.0", path: "/" }],
            versions: ["1.0"],
            cardName: `Agent ${index}`,
            cardVersion: "1.0.0",
            signed: false,
          },
        ],
      },
    });
  /** The status that was written last, and the newer of both versions. */
  const withWritten = (plural: string, index: number, edited: string | undefined, made: Made): Made => {
    const last = written.get(`${plural} ${index}`);
    const newest = Math.max(Number(edited ?? 0), Number(last?.version ?? 0));
    const metadata = made["metadata"] as Made;
    return {
      ...made,
      metadata: newest === 0 ? metadata : { ...metadata, resourceVersion: String(newest) },
      ...(last === undefined ? {} : { status: last.status }),
    };
  };
  /** Agents share a Service of their namespace. */
  const serviceOf = (index: number): number =>
    (Math.floor(index / NAMESPACES) % Math.max(1, Math.floor(services / NAMESPACES))) * NAMESPACES +
    (index % NAMESPACES);
  const key = (index: number): Made => {
    const edit = edits.get(index);
    return withWritten("virtualkeys", index, edit?.version, {
      metadata: metadata(2, index, `key-${pad(index)}`, { generation: 1 + (edit?.count ?? 0) }),
      spec: {
        gatewayName: "default",
        owner: { user: `user-${index}-${edit?.count ?? 0}`, team: `team-${index % 50}` },
        agents: [0, 1, 2].map((nth) => ({ name: `agent-${pad(agentOf(index, nth))}` })),
      },
      status: {
        observedGeneration: 1,
        conditions: conditions([
          ["Ready", ""],
          ["Accepted", "The spec is valid."],
          ["SecretReady", "The token was read."],
          ["ResolvedRefs", "All agents that are named were found."],
          ["Programmed", "Every connected proxy serves this generation."],
        ]),
        fingerprint: hash("sha256", tokenOf(index), "hex").slice(0, 8),
      },
    });
  };
  const agentOf = (index: number, nth: number): number => (index + nth * NAMESPACES) % size.agents;
  const tokenOf = (index: number): string => `sk-synthetic-${String(index).padStart(40, "x")}`;
  const secret = (index: number): Made => ({
    metadata: metadata(3, index, `key-${pad(index)}-key`, {
      labels: { "parley.dev/credential": "key" },
      ownerReferences: [
        {
          apiVersion: "parley.dev/v1alpha1",
          kind: "VirtualKey",
          name: `key-${pad(index)}`,
          uid: uid(2, index),
          controller: true,
        },
      ],
    }),
    type: "Opaque",
    data: { token: Buffer.from(tokenOf(index)).toString("base64") },
  });
  const service = (index: number): Made => ({
    metadata: metadata(4, index, `service-${pad(index)}`),
    spec: { type: "ClusterIP", clusterIP: "10.0.0.1", ports: [{ name: "http", port: 80, targetPort: 8080 }] },
  });
  const slice = (index: number): Made => ({
    metadata: metadata(5, index, `service-${pad(index)}-x`, {
      labels: { "kubernetes.io/service-name": `service-${pad(index)}` },
    }),
    addressType: "IPv4",
    ports: [{ name: "http", port, protocol: "TCP" }],
    endpoints: [
      { addresses: ["127.0.0.1"], conditions: { ready: true }, targetRef: { kind: "Pod", uid: uid(6, index) } },
    ],
  });
  const namespace = (index: number): Made => {
    const { namespace: _, ...own } = metadata(7, index, namespaceOf(index), { labels: { stage: "test" } });
    return { metadata: own };
  };
  const kinds: Readonly<Record<string, { readonly count: number; readonly make: (index: number) => Made }>> = {
    a2aagents: { count: size.agents, make: agent },
    virtualkeys: { count: size.keys, make: key },
    secrets: { count: size.keys, make: secret },
    services: { count: services, make: service },
    endpointslices: { count: services, make: slice },
    namespaces: { count: NAMESPACES, make: namespace },
  };

  const send = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const tell = (plural: string, event: unknown): void => {
    for (const response of watches.get(plural) ?? []) response.write(`${JSON.stringify(event)}\n`);
  };
  const card = {
    name: "Agent",
    version: "1.0.0",
    supportedInterfaces: [{ url: "http://x/", protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://api");
    const body = await text(request);
    const plural = url.pathname.split("/").at(-1) ?? "";
    if (url.pathname.endsWith("agent-card.json")) return send(response, 200, card);
    if (url.pathname.includes("/leases")) {
      if (request.method === "GET" && lease === undefined) return send(response, 404, { kind: "Status", code: 404 });
      if (request.method !== "GET") {
        version += 1;
        const { metadata: given, ...rest } = JSON.parse(body) as { metadata: Made };
        lease = { ...rest, metadata: { ...given, uid: "lease", resourceVersion: String(version) } };
      }
      return send(response, request.method === "POST" ? 201 : 200, lease);
    }
    if (plural === "status") {
      writes += 1;
      version += 1;
      const { metadata: given, status } = JSON.parse(body) as { metadata: Made; status: unknown };
      const [of = "", name = ""] = url.pathname.split("/").slice(-3);
      const index = Number(name.split("-").at(-1));
      written.set(`${of} ${index}`, { status, version: String(version) });
      tell(of, { type: "MODIFIED", object: kinds[of]?.make(index) });
      return send(response, 200, { metadata: { ...given, resourceVersion: String(version) } });
    }
    const kind = kinds[plural];
    if (kind === undefined || request.method !== "GET")
      return send(response, request.method === "GET" ? 404 : 201, { metadata: { name: "x", resourceVersion: "1" } });
    if (url.searchParams.get("watch") === "true") {
      response.writeHead(200, { "content-type": "application/json" });
      response.flushHeaders();
      const from = String(version);
      if (url.searchParams.get("sendInitialEvents") === "true") {
        lists += 1;
        for (let index = 0; index < kind.count && !response.destroyed; index++) {
          const more = response.write(`${JSON.stringify({ type: "ADDED", object: kind.make(index) })}\n`);
          if (more) continue;
          const told = new AbortController();
          const { signal } = told;
          await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]);
          told.abort();
        }
        const annotations = { "k8s.io/initial-events-end": "true" };
        response.write(
          `${JSON.stringify({ type: "BOOKMARK", object: { metadata: { resourceVersion: from, annotations } } })}\n`,
        );
      }
      if (response.destroyed) return;
      const open = watches.get(plural) ?? new Set();
      watches.set(plural, open.add(response));
      response.on("close", () => open.delete(response));
      return;
    }
    const start = Number(url.searchParams.get("continue") ?? 0);
    const end = Math.min(kind.count, start + Number(url.searchParams.get("limit") ?? kind.count));
    if (start === 0) lists += 1;
    const items = Array.from({ length: end - start }, (_, offset) => kind.make(start + offset));
    const token = end < kind.count ? { continue: String(end), remainingItemCount: kind.count - end } : {};
    send(response, 200, { metadata: { resourceVersion: String(version), ...token }, items });
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
  return {
    url: `http://127.0.0.1:${port}`,
    editKey(index) {
      version += 1;
      edits.set(index, { count: (edits.get(index)?.count ?? 0) + 1, version: String(version) });
      tell("virtualkeys", { type: "MODIFIED", object: key(index) });
    },
    expire() {
      for (const plural of Object.keys(kinds)) {
        tell(plural, { type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired", message: "too old" } });
        for (const response of watches.get(plural) ?? []) response.end();
      }
    },
    get writes() {
      return writes;
    },
    get lists() {
      return lists;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
