// The objects of the bench. In: an API server, a gateway, sizes. Out: agents and keys there; keys name tokens in Secrets of 1,000 each.
import { createHash } from "node:crypto";
import type { ApiServer, KubeBody } from "../../harness/api-server.ts";
import type { KubeObject } from "../../harness/cluster.ts";
import { eventually } from "../../harness/processes.ts";
import { writeCopies } from "./copies.ts";
import type { Size } from "./options.ts";

export const NAMESPACE = "default";
const AGENTS = `/apis/parley.dev/v1alpha1/namespaces/${NAMESPACE}/a2aagents`;
const KEYS = `/apis/parley.dev/v1alpha1/namespaces/${NAMESPACE}/virtualkeys`;
const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;
const TOKENS_IN_SECRET = 1_000;
const CONCURRENCY = 8;
/** Tokens that no key of the filling names: for keys that come and go, and the last of them for the original. */
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

/** Secrets of tokens `from` to `to`, in thousands. */
async function createTokens(api: ApiServer, gateway: string, from: number, to: number): Promise<void> {
  let next = from;
  const work = async (): Promise<void> => {
    for (let n = next++; n < to; n = next++) {
      const stringData: Record<string, string> = {};
      for (let t = n * TOKENS_IN_SECRET; t < (n + 1) * TOKENS_IN_SECRET; t += 1) {
        stringData[`t${t}`] = tokenOf(gateway, t);
      }
      const name = secretName(gateway, n * TOKENS_IN_SECRET);
      await create(api, SECRETS, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name, namespace: NAMESPACE, labels: { "parley.dev/credential": "key" } },
        stringData,
      });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

const ORIGINAL = "original";

/** An object that the operator has judged: programmed, and nothing left to say. */
async function judged(api: ApiServer, path: string): Promise<KubeBody> {
  return await eventually(
    `${path} is Ready`,
    async () => {
      const { body } = await api.request("GET", path);
      const { conditions = [] } = body.status ?? {};
      const ready = conditions.some(({ type, status }) => type === "Ready" && status === "True");
      const discovered = body.kind !== "A2AAgent" || conditions.some(({ type }) => type === "Discovered");
      return ready && discovered ? body : undefined;
    },
    300_000,
    200,
  );
}

/**
 * Brings the objects of a gateway from one size to another: tokens and one agent and one key by the API server, the others as copies of
 * these. Its operators and proxies run.
 */
export async function fill(
  api: ApiServer,
  gateway: string,
  upstream: string,
  from: Size,
  to: Size,
  say: (line: string) => void,
): Promise<void> {
  const secrets = (size: Size): number => Math.ceil((size.keys + SPARE) / TOKENS_IN_SECRET);
  await createTokens(api, gateway, from.keys === 0 ? 0 : secrets(from), secrets(to));
  if (from.keys === 0) {
    await create(api, AGENTS, agent(gateway, ORIGINAL, upstream));
    await create(api, KEYS, key(gateway, ORIGINAL, SPARE - 1, [ORIGINAL]));
  }
  const [anAgent, aKey] = [
    await judged(api, `${AGENTS}/${gateway}-${ORIGINAL}`),
    await judged(api, `${KEYS}/${gateway}-${ORIGINAL}`),
  ];
  let made = 0;
  const tick = (): void => {
    made += 1;
    if (made % 100 === 0) say(`${gateway}: ${made} of ${to.agents - from.agents + to.keys - from.keys} objects made`);
  };
  const url = anAgent.status?.["url"];
  await writeCopies(
    api,
    "a2aagents",
    anAgent,
    { from: from.agents, to: to.agents },
    (n) => {
      const { metadata, spec } = agent(gateway, `agent-${n}`, upstream) as KubeObject & { spec: KubeBody["spec"] };
      return {
        name: metadata.name,
        spec: spec ?? {},
        status: typeof url === "string" ? { url: url.replace(ORIGINAL, `agent-${n}`) } : {},
      };
    },
    tick,
  );
  await writeCopies(
    api,
    "virtualkeys",
    aKey,
    { from: from.keys, to: to.keys },
    (n) => {
      const agents = [`agent-${n % to.agents}`, `agent-${(n * 7 + 1) % to.agents}`];
      const { metadata, spec } = key(gateway, `key-${n}`, SPARE + n, agents) as KubeObject & { spec: KubeBody["spec"] };
      const sha256 = createHash("sha256")
        .update(tokenOf(gateway, SPARE + n))
        .digest("hex");
      return { name: metadata.name, spec: spec ?? {}, status: { fingerprint: sha256.slice(0, 8) } };
    },
    tick,
  );
}
