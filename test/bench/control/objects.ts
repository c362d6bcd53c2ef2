// The objects of the bench and how they are made fast: many creates at once over connections that stay open.
// In: an API server, a gateway, sizes. Out: agents and keys there; keys name tokens in Secrets of up to 1,000 each.
import type { ApiServer } from "../../harness/api-server.ts";
import type { KubeObject } from "../../harness/cluster.ts";
import type { Size } from "./options.ts";

export const NAMESPACE = "default";
const AGENTS = `/apis/parley.dev/v1alpha1/namespaces/${NAMESPACE}/a2aagents`;
const KEYS = `/apis/parley.dev/v1alpha1/namespaces/${NAMESPACE}/virtualkeys`;
const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;
const TOKENS_IN_SECRET = 1_000;
const CONCURRENCY = 32;
/** Tokens that no key of the filling names: for keys that come and go. */
export const SPARE = 1_000;

export const tokenOf = (gateway: string, n: number): string => `sk-${gateway}-${n}-0123456789-0123456789-0123456789`;
const secretName = (gateway: string, n: number): string => `${gateway}-tokens-${Math.floor(n / TOKENS_IN_SECRET)}`;

export function agent(gateway: string, name: string, upstream: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "parley.dev/v1alpha1",
    kind: "A2AAgent",
    metadata: { name: `${gateway}-${name}`, namespace: NAMESPACE, labels: { domain: "bench" } },
    spec: {
      gatewayName: gateway,
      publicName: name,
      backends: [{ name: "only", url: upstream }],
      card: { visibility: "Key" },
      ...spec,
    },
  };
}

/** `token`: which of the tokens. */
export function key(gateway: string, name: string, token: number, agents: readonly string[]): KubeObject {
  return {
    apiVersion: "parley.dev/v1alpha1",
    kind: "VirtualKey",
    metadata: { name: `${gateway}-${name}`, namespace: NAMESPACE },
    spec: {
      gatewayName: gateway,
      secretRef: { name: secretName(gateway, token), key: `t${token}` },
      owner: { user: `${name}@example.com`, team: "bench" },
      agents: agents.map((agentName) => ({ name: `${gateway}-${agentName}` })),
    },
  };
}

async function create(api: ApiServer, path: string, object: KubeObject): Promise<void> {
  const { status, body } = await api.request("POST", path, object);
  if (status !== 201) throw new Error(`${object.kind} ${object.metadata.name}: ${status} ${body.message}`);
}

async function inParallel(from: number, to: number, one: (n: number) => Promise<void>): Promise<void> {
  let next = from;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (let n = next++; n < to; n = next++) await one(n);
    }),
  );
}

/** Brings the objects of a gateway from one size to another. `say` is told how far it is. */
export async function fill(
  api: ApiServer,
  gateway: string,
  upstream: string,
  from: Size,
  to: Size,
  say: (line: string) => void,
): Promise<void> {
  const begun = performance.now();
  let made = 0;
  const all = to.agents - from.agents + to.keys - from.keys;
  const tick = (): void => {
    made += 1;
    if (made % 100 !== 0) return;
    const rate = made / ((performance.now() - begun) / 1_000);
    say(`${gateway}: ${made} of ${all} objects made, ${rate.toFixed(0)} a second`);
  };
  // The tokens before the keys, so that no key waits for its own. The first Secret holds the spare ones.
  const first = from.keys === 0 ? 0 : Math.ceil((from.keys + SPARE) / TOKENS_IN_SECRET);
  await inParallel(first, Math.ceil((to.keys + SPARE) / TOKENS_IN_SECRET), async (n) => {
    const stringData: Record<string, string> = {};
    for (let t = n * TOKENS_IN_SECRET; t < (n + 1) * TOKENS_IN_SECRET; t += 1)
      stringData[`t${t}`] = tokenOf(gateway, t);
    await create(api, SECRETS, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: secretName(gateway, n * TOKENS_IN_SECRET),
        namespace: NAMESPACE,
        labels: { "parley.dev/credential": "key" },
      },
      stringData,
    });
  });
  await inParallel(from.agents, to.agents, async (n) => {
    await create(api, AGENTS, agent(gateway, `agent-${n}`, upstream));
    tick();
  });
  await inParallel(from.keys, to.keys, async (n) => {
    const agents = [`agent-${n % to.agents}`, `agent-${(n * 7 + 1) % to.agents}`];
    await create(api, KEYS, key(gateway, `key-${n}`, SPARE + n, agents));
    tick();
  });
}
