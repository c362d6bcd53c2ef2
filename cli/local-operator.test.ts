// The operator's work for a folder: one table for one set of objects, however it came to be.
import { expect, test } from "vitest";
import { createValidator } from "../crds/validate.ts";
import { createTable } from "../proxy/table/table.ts";
import { EMPTY_STATE, mergeFolder } from "./last-good.ts";
import { createLocalOperator } from "./local-operator.ts";
import { readManifest } from "./manifest.ts";
import type { ManifestObject } from "./manifest.ts";

const validator = createValidator();
const TOKEN = "sk-0123456789012345678901234567890123456789";

const agent = (name: string, port = 1) =>
  `apiVersion: parley.dev/v1alpha1\nkind: A2AAgent\nmetadata: { name: ${name} }\nspec: { backends: [{ name: b, url: "http://127.0.0.1:${port}" }] }\n---\n`;
const key = (name: string) =>
  `apiVersion: parley.dev/v1alpha1\nkind: VirtualKey\nmetadata: { name: ${name} }\nspec: { secretRef: { name: s, key: token }, agents: [{ name: x }] }\n---\n`;
const secret = (token: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: { name: s, labels: { parley.dev/credential: key } }\nstringData: { token: ${token} }\n---\n`;

const objectsOf = (text: string): ManifestObject[] =>
  [...mergeFolder(EMPTY_STATE, [{ file: "f", manifest: readManifest("f", text, validator) }]).objects.values()].map(
    ({ object }) => object,
  );

function begin(exemptTokens: readonly string[] = []) {
  const table = createTable();
  const operator = createLocalOperator({
    settings: { gatewayName: "default", trustedProxies: [], allowedUpstreams: [], exemptTokens, selectors: false },
    table,
    log: { error: () => undefined },
  });
  return { table, operator };
}
const finding = { type: "Discovered", status: "False", reason: "CardUnreachable", message: "no" } as const;

test("the first set makes the table complete, an empty one too; the same set again changes nothing", () => {
  const { table, operator } = begin();
  operator.apply([]);
  expect(table.complete).toBe(true);
  operator.apply(objectsOf(agent("x")));
  const { version } = table;
  expect(operator.apply(objectsOf(agent("x")))).toEqual([]);
  expect(table.version).toBe(version);
});

test("any way to a set of objects gives the same table", () => {
  const last = agent("x", 2) + key("k") + secret(TOKEN);
  const direct = begin();
  direct.operator.apply(objectsOf(last));
  const winding = begin();
  for (const text of [agent("y"), agent("x") + key("k"), secret(TOKEN) + key("k"), "", last]) {
    winding.operator.apply(objectsOf(text));
  }
  expect(winding.table.version).toBe(direct.table.version);
  expect(direct.table.agentByPublicName("x")?.row.backends[0]?.url).toBe("http://127.0.0.1:2");
});

test("a short token is exempt only where the settings say so, and then holds on loopback only", () => {
  const strict = begin();
  strict.operator.apply(objectsOf(key("k") + secret("sk-1234")));
  expect(strict.table.keyById("default/k")).toBeUndefined();
  const exempt = begin(["sk-1234"]);
  exempt.operator.apply(objectsOf(key("k") + secret("sk-1234")));
  expect(exempt.table.keyById("default/k")?.row.loopbackOnly).toBe(true);
});

test("what cards said reaches the table, outlives an edit, and is not taken of an agent that is gone", () => {
  const { table, operator } = begin();
  operator.apply(objectsOf(agent("x")));
  const uid = operator.results()[0]?.uid ?? "";
  const interfaces = [{ binding: "JSONRPC", version: "1.0", path: "/rpc" }] as const;
  operator.learn({ namespace: "default", name: "x", uid }, [{ name: "b", interfaces, versions: ["1.0"] }], {
    ...finding,
    status: "True",
  });
  operator.apply(objectsOf(agent("x", 2)));
  expect(table.agentByName("default", "x")?.row.backends[0]?.interfaces).toEqual(interfaces);
  operator.learn({ namespace: "default", name: "x", uid: "another" }, [], finding);
  expect(table.agentByName("default", "x")?.row.backends[0]?.interfaces).toEqual(interfaces);
});

test("why a card could not be read stands in the place of translation's finding, until the agent is gone", () => {
  const { operator } = begin();
  operator.apply(objectsOf(agent("x")));
  const uid = operator.results()[0]?.uid ?? "";
  operator.learn({ namespace: "default", name: "x", uid }, [], finding);
  expect(operator.results()[0]?.conditions).toContainEqual(finding);
  operator.apply([]);
  operator.apply(objectsOf(agent("x")));
  expect(operator.results()[0]?.conditions).not.toContainEqual(finding);
});
