// A real Kubernetes API server of the test's own: etcd and kube-apiserver on loopback, data in a folder that goes with it.
// In: nothing. Out: its address, an administrator's token and kubeconfig, and how to stop it.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request as send } from "undici";
import { parse } from "yaml";
import { kubernetesBinaries } from "./kubernetes-binaries.ts";
import { eventually, Fatal, freePort, start } from "./processes.ts";

/** An answer's JSON as tests read it; an error is a Status with `message` and `reason`. */
export interface KubeBody {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly gitVersion?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly [member: string]: unknown;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly status?: {
    readonly conditions?: readonly KubeCondition[];
    readonly [member: string]: unknown;
  };
  readonly items?: readonly KubeBody[];
}

export interface KubeCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
}

/** A CustomResourceDefinition as its file has it. */
export interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

export interface ApiServer {
  readonly url: string;
  readonly token: string;
  readonly caFile: string;
  /** Of its etcd, which answers JSON under /v3. */
  readonly etcdUrl: string;
  /** Path of a kubeconfig for the administrator. */
  readonly kubeconfig: string;
  /** A request as administrator; a body that is not a string is sent as JSON. */
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly body: KubeBody }>;
  /** Applies both CRDs, and others, and waits until they are Established and can be found by discovery. */
  applyCrds(others?: readonly Crd[]): Promise<void>;
  /** A kubeconfig of the same identity for another address of this server (a fault proxy in front of it). */
  kubeconfigFor(url: string): string;
  stop(): Promise<void>;
}

const CRDS = join(import.meta.dirname, "../../crds");

/** Starts the server and waits until it is ready (about four seconds). `flags` and `env`: more of them for kube-apiserver. */
export async function startApiServer(flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<ApiServer> {
  const binaries = await kubernetesBinaries(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), "parley-api-server-"));
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const token = randomBytes(16).toString("hex");
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const url = `https://127.0.0.1:${port}`;
  const etcd = start(
    binaries.etcd,
    [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
    { name: "etcd" },
  );
  const server = start(
    binaries.apiServer,
    [
      `--etcd-servers=http://127.0.0.1:${client}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      // Stands in the endpoints of the kubernetes Service only; without it a network with no default route is refused.
      "--advertise-address=192.0.2.1",
      `--cert-dir=${join(folder, "api")}`,
      "--service-cluster-ip-range=10.0.0.0/24",
      "--authorization-mode=RBAC",
      `--token-auth-file=${file("tokens.csv", `${token},admin,admin,"system:masters"\n`)}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-signing-key-file=${file("sa.key", privateKey)}`,
      `--service-account-key-file=${file("sa.pub", publicKey)}`,
      // No controller-manager runs, so no default ServiceAccount would ever come.
      "--disable-admission-plugins=ServiceAccount",
      ...flags,
    ],
    { name: "kube-apiserver", env: { ...process.env, ...env } },
  );
  const caFile = join(folder, "api", "apiserver.crt");
  let agent: Agent | undefined;
  const request: ApiServer["request"] = async (method, path, body, headers = {}) => {
    agent ??= new Agent({ connect: { ca: readFileSync(caFile) } });
    const answer = await send(`${url}${path}`, {
      method,
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json",
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    const json = answer.headers["content-type"]?.includes("json") === true;
    return {
      status: answer.statusCode,
      body: (json ? JSON.parse(text) : { message: text }) as KubeBody,
    };
  };
  const stop = async (): Promise<void> => {
    await agent?.destroy();
    server.signal("SIGKILL");
    etcd.signal("SIGKILL");
    await Promise.all([server.ended, etcd.ended]);
    rmSync(folder, { recursive: true, force: true });
  };
  const kubeconfigFor = (address: string): string =>
    file(
      `kubeconfig-${new URL(address).port}`,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
          {
            name: "test",
            cluster: {
              server: address,
              ...(address.startsWith("https:")
                ? { "certificate-authority": caFile }
                : { "insecure-skip-tls-verify": true }),
            },
          },
        ],
        users: [{ name: "admin", user: { token } }],
        contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
        "current-context": "test",
      }),
    );
  try {
    await eventually(
      "kube-apiserver is ready",
      async () => {
        if (server.exited()) throw new Fatal("it ended");
        return (await request("GET", "/readyz")).status === 200 ? true : undefined;
      },
      60_000,
      100,
    );
  } catch (error) {
    const said = server.output().slice(-2_000);
    await stop();
    throw new Error(`kube-apiserver did not become ready:\n${said}`, { cause: error });
  }
  return {
    url,
    token,
    caFile,
    etcdUrl: `http://127.0.0.1:${client}`,
    kubeconfig: kubeconfigFor(url),
    request,
    kubeconfigFor,
    applyCrds: async (others = []) => {
      const ours = ["a2aagents", "virtualkeys"].map(
        (name) => parse(readFileSync(join(CRDS, `${name}.yaml`), "utf8")) as Crd,
      );
      for (const crd of [...ours, ...others]) await applyCrd(request, crd);
    },
    stop,
  };
}

async function applyCrd(request: ApiServer["request"], crd: Crd): Promise<void> {
  const { name } = crd.metadata;
  const { plural } = crd.spec.names;
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
  const answer = await request("PATCH", `${path}?fieldManager=test&force=true`, crd, {
    "content-type": "application/apply-patch+yaml",
  });
  if (answer.status >= 300) throw new Error(`${name}: ${JSON.stringify(answer.body)}`);
  await eventually(`${name} is Established and served`, async () => {
    const { body } = await request("GET", path);
    const established = body.status?.conditions?.some((c) => c.type === "Established" && c.status === "True");
    if (established !== true) return undefined;
    for (const version of crd.spec.versions.filter(({ served }) => served)) {
      const base = `/apis/${crd.spec.group}/${version.name}`;
      if ((await request("GET", `${base}/${plural}?limit=1`)).status !== 200) return undefined;
      const known = (await request("GET", base)).body as { readonly resources?: readonly { readonly name: string }[] };
      if (known.resources?.some((one) => one.name === plural) !== true) return undefined;
    }
    return true;
  });
}
