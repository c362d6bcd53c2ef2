// Which Lease is meant, and what is said on a terminal of what stands on it: whoever may write the Lease has chosen it.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HELD_ANNOTATION } from "../operator/held.ts";
import { SUMMARY_ANNOTATION } from "../operator/summary.ts";
import { confirm } from "./confirm.ts";

const ESCAPE = "\u001b[2J\u009b1A\nnothing is held";

interface Ran {
  readonly code: number;
  readonly said: string;
  /** Paths, without their queries. */
  readonly asked: readonly (string | undefined)[];
}

/** The API server answers everything with one answer. */
async function run(status: number, body: object, ...args: readonly string[]): Promise<Ran> {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url?.split("?")[0]);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const folder = mkdtempSync(join(tmpdir(), "parley-confirm-"));
  const kubeconfig = join(folder, "config");
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [
        {
          name: "c",
          cluster: {
            server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
            "insecure-skip-tls-verify": true,
          },
        },
      ],
      users: [{ name: "u", user: {} }],
    }),
  );
  let said = "";
  const say = (text: string): void => void (said += text);
  try {
    const code = await confirm([`--kubeconfig=${kubeconfig}`, ...args], {
      env: {},
      out: say,
      err: say,
      outIsTerminal: true,
      errIsTerminal: true,
      outColours: false,
      errColours: false,
      readStdin: () => Promise.resolve(""),
      version: "0",
    });
    return { code, said, asked };
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

/** As the leader of a gateway leaves it, with other annotations besides. */
function lease(name: string, gateway: string, annotations: object = {}): object {
  const summary = { gateway, version: "sha256:aaaa", sequence: 7, rows: 3, proxies: [], more: 0 };
  return { metadata: { name, annotations: { [SUMMARY_ANNOTATION]: JSON.stringify(summary), ...annotations } } };
}
const heldOn = (...held: readonly object[]): object => ({ [HELD_ANNOTATION]: JSON.stringify(held) });
const LEASES = "/apis/coordination.k8s.io/v1/namespaces";

test("the Lease is found by what the leader says on it, in the namespace of the chart", async () => {
  const mine = lease("parley-operator", "default", heldOn({ id: "0123456789ab", kind: "Secret", count: 1, names: [] }));
  const items = [{ metadata: { name: "somebody-elses" } }, mine];
  const { code, said, asked } = await run(200, { items });
  expect([code, asked]).toEqual([0, [`${LEASES}/parley/leases`]]);
  expect(said).toContain("parley confirm --namespace=parley --lease=parley-operator --yes");
});

test("where none is, it says what to give", async () => {
  const { code, said } = await run(200, { items: [] }, "--namespace=empty");
  expect(code).toBe(1);
  expect(said).toMatch(/^parley confirm: no operator of Parley has run in the namespace empty: give --namespace=/);
});

test("of several, one has to be named", async () => {
  const items = [lease("a-operator", "a"), lease("b-operator", "b")];
  const { code, said } = await run(200, { items });
  expect(code).toBe(1);
  expect(said).toContain("give one of --lease=a-operator (gateway a), --lease=b-operator (gateway b)");
  const named = await run(200, lease("b-operator", "b"), "--lease=b-operator", "--namespace=other");
  expect(named).toEqual({ code: 0, said: "nothing is held\n", asked: [`${LEASES}/other/leases/b-operator`] });
});

/** A line ends only where the command ends it. */
const harmless = (said: string): boolean => !/[\p{Cc}]/u.test(said.replaceAll("\n", "")) && !/^nothing/m.test(said);

test("names that are held move no cursor and begin no line", async () => {
  const held = { id: "0123456789ab", kind: `Secret${ESCAPE}`, count: 2, names: [`a/b${ESCAPE}`] };
  const { code, said } = await run(200, { items: [lease("parley-operator", "default", heldOn(held))] });
  expect(code).toBe(0);
  expect(said).toContain("\\u001b[2J");
  expect(harmless(said)).toBe(true);
});

test("nor does what the API server refuses with", async () => {
  for (const args of [[], ["--lease=parley-operator"]]) {
    const refusal = { kind: "Status", reason: "Forbidden", message: `no${ESCAPE}` };
    const { code, said } = await run(403, refusal, ...args);
    expect(code).toBe(1);
    expect(said).toContain("\\u001b[2J");
    expect(harmless(said)).toBe(true);
  }
});
