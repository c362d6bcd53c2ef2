// Who gets the table, over the real way: a real API server's tokens, the operator's own CA, a real proxy.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApiFaultProxy, type ApiFaultProxy } from "../harness/api-fault-proxy.ts";
import { startApiServer, type ApiServer } from "../harness/api-server.ts";
import { node } from "../harness/gateway.ts";
import { runOperator, type RunningOperator } from "../harness/operator-in-process.ts";
import { eventually, freePort, start, type Child } from "../harness/processes.ts";

const NAMESPACE = "parley";
const ARGS = ["--tls=auto", `--proxy-service-account=${NAMESPACE}/parley-proxy`, `--lease-namespace=${NAMESPACE}`];
const CA_NAME = "parley-operator-default-ca";

let api: ApiServer;
let faults: ApiFaultProxy;
let operator: RunningOperator;
let folder: string;
let podUid: string;
let ca: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-security-"));
  api = await startApiServer();
  faults = await startApiFaultProxy(api);
  await api.applyCrds();
  await make("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  for (const name of ["parley-proxy", "stranger"]) {
    await make(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name },
    });
  }
  podUid = await make(`/api/v1/namespaces/${NAMESPACE}/pods`, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "proxy-0" },
    spec: { serviceAccountName: "parley-proxy", containers: [{ name: "proxy", image: "parley" }] },
  });
  operator = await runOperator(faults.kubeconfig, ARGS);
  await operator.ready();
  ca = await eventually("the bundle is there", async () => {
    const { body } = await api.request("GET", `/api/v1/namespaces/${NAMESPACE}/configmaps/${CA_NAME}`);
    return body.data?.["ca.crt"];
  });
  await eventually("the stream is served", async () =>
    (await ask(await token()).catch(() => 0)) === 200 ? true : undefined,
  );
});
afterAll(async () => {
  await operator.close();
  await faults.close();
  await api.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Gives the UID. */
async function make(path: string, body: object): Promise<string> {
  const answer = await api.request("POST", path, body);
  if (answer.status !== 201) throw new Error(`${path}: ${answer.body.message}`);
  return answer.body.metadata?.uid ?? "";
}

/** A token as kubelets get it for a pod's projected volume. */
async function token(
  account = "parley-proxy",
  audience = "parley-operator",
  pod = account !== "stranger",
): Promise<string> {
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`;
  const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "proxy-0", uid: podUid };
  const { status, body } = await api.request("POST", path, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { audiences: [audience], expirationSeconds: 600, ...(pod ? { boundObjectRef } : {}) },
  });
  if (status !== 201) throw new Error(`no token: ${body.message}`);
  return String(body.status?.["token"]);
}

/** Asks for the stream; gives the status, and looks at what came if it was refused. */
function ask(bearer: string | undefined, trusted: string = ca): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
    const path = "/v1/stream?gateway=default&proxy=somebody-else";
    const sent = request(
      { host: "localhost", port: operator.port, path, ca: trusted, headers, agent: false },
      (response) => {
        const status = response.statusCode ?? 0;
        if (status === 200) {
          response.destroy();
          return resolve(status);
        }
        let text = "";
        response.on("data", (chunk) => (text += String(chunk)));
        response.on("end", () => {
          expect(text).toBe('{"error":"a token of a proxy is required"}\n');
          resolve(status);
        });
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

describe("the stream", () => {
  test("is for the proxies' ServiceAccount and the operator's audience alone", async () => {
    expect(await ask(await token())).toBe(200);
    expect(await ask(undefined)).toBe(401);
    expect(await ask("garbage")).toBe(401);
    expect(await ask(await token("parley-proxy", "https://kubernetes.default.svc"))).toBe(401);
    expect(await ask(await token("stranger"))).toBe(401);
    const [head, body, signature = ""] = (await token()).split(".");
    expect(await ask(`${head}.${body}.${signature.replaceAll(/[A-M]/g, "N")}`)).toBe(401);
    const refused = (reason: string) => operator.metric(`parley_operator_stream_refusals_total{reason="${reason}"}`);
    expect(await refused("NoToken")).toBe(1);
    expect(await refused("Malformed")).toBe(1);
    expect(await refused("WrongAudience")).toBe(1);
    expect(await refused("WrongServiceAccount")).toBe(1);
    expect(await refused("NotAuthenticated")).toBe(1);
  });

  test("is not for clients that trust others", async () => {
    await expect(ask(await token(), "")).rejects.toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  });

  test("is not given to the token of a pod that is gone", async () => {
    const uid = await make(`/api/v1/namespaces/${NAMESPACE}/pods`, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "proxy-1" },
      spec: { serviceAccountName: "parley-proxy", containers: [{ name: "proxy", image: "parley" }] },
    });
    const { body } = await api.request("POST", `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/parley-proxy/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        audiences: ["parley-operator"],
        expirationSeconds: 600,
        boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "proxy-1", uid },
      },
    });
    await api.request("DELETE", `/api/v1/namespaces/${NAMESPACE}/pods/proxy-1?gracePeriodSeconds=0`);
    const refused = eventually("the token is refused", async () =>
      (await ask(String(body.status?.["token"]))) === 401 ? true : undefined,
    );
    await expect(refused).resolves.toBe(true);
  });

  test("is opened by the cluster's keys while the API server is away", async () => {
    const [good, wrong] = [await token(), await token("stranger")];
    const [head, body, signature = ""] = (await token()).split(".");
    faults.setUp(false);
    try {
      expect(await ask(good)).toBe(200);
      expect(await ask(wrong)).toBe(401);
      expect(await ask(`${head}.${body}.${signature.replaceAll(/[A-M]/g, "N")}`)).toBe(401);
    } finally {
      faults.setUp(true);
    }
  });

  test("comes from one CA, however many operators begin at once", async () => {
    const path = `/api/v1/namespaces/${NAMESPACE}`;
    await api.request("DELETE", `${path}/secrets/second`);
    const others = await Promise.all(
      [1, 2, 3].map(() => runOperator(api.kubeconfig, [...ARGS, "--tls-ca-name=second", "--gateway-name=second"])),
    );
    try {
      const bundle = await eventually("the bundle is there", async () => {
        const { body } = await api.request("GET", `${path}/configmaps/second`);
        return body.data?.["ca.crt"];
      });
      for (const { port } of others) {
        const status = await eventually(
          "its certificate is of that CA",
          () =>
            new Promise<number | undefined>((resolve) => {
              const sent = request({ host: "localhost", port, path: "/", ca: bundle, agent: false }, (response) => {
                response.resume();
                resolve(response.statusCode);
              });
              sent.on("error", () => resolve(undefined));
              sent.end();
            }),
        );
        expect(status).toBe(404);
      }
      expect(bundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    } finally {
      await Promise.all(others.map((one) => one.close()));
    }
  });
});

describe("a proxy", () => {
  let child: Child | undefined;
  afterAll(async () => {
    await child?.stop();
  });

  test("is who its token says, and takes up a new one", async () => {
    const [tokenFile, caFile] = [join(folder, "token"), join(folder, "ca.crt")];
    writeFileSync(tokenFile, await token());
    writeFileSync(caFile, ca);
    const admin = await freePort();
    child = start(
      node,
      [
        join(import.meta.dirname, "../../proxy/main.ts"),
        `--operators=https://localhost:${operator.port}`,
        `--operator-ca=${caFile}`,
        `--token-file=${tokenFile}`,
        `--proxy-id=${podUid}`,
        "--listen=127.0.0.1:0",
        `--admin-listen=127.0.0.1:${admin}`,
      ],
      { name: "proxy" },
    );
    await eventually("proxy is ready", async () =>
      (await fetch(`http://127.0.0.1:${admin}/readyz`)).ok ? true : undefined,
    );
    interface Listed {
      readonly proxies: readonly {
        readonly proxy: string;
        readonly address: string;
        readonly sequence: number | null;
      }[];
    }
    const listed = async () => ((await (await fetch(`${operator.adminUrl}/proxies`)).json()) as Listed).proxies;
    const before = await eventually("it acknowledged", async () =>
      (await listed()).find(({ proxy, sequence }) => proxy === podUid && sequence !== null),
    );
    writeFileSync(tokenFile, await token());
    await eventually("it came again, with the new token", async () =>
      (await listed()).some(({ proxy, address }) => proxy === podUid && address !== before.address) ? true : undefined,
    );
    expect((await fetch(`http://127.0.0.1:${admin}/readyz`)).status).toBe(200);
    expect(child.output()).not.toContain(readFileSync(tokenFile, "utf8"));
    expect(child.output()).not.toContain("stream lost");
  });
});
