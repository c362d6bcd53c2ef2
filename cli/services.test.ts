// Services that stand in files of manifests.
import { expect, test } from "vitest";
import { assumedService, readServices } from "./services.ts";

const read = (text: string | undefined) =>
  readServices([{ file: "f", text, stamp: "", readAt: 0 }]).map(({ metadata, type, ports }) => [
    `${metadata.namespace}/${metadata.name}`,
    type,
    ports,
  ]);

test("are read with their ports, out of a List too; what is none, or broken, is passed over", () => {
  const one =
    "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { ports: [{ name: http, port: 80 }, { port: 81 }] }\n";
  const list =
    "kind: List\nitems:\n  - { apiVersion: v1, kind: Service, metadata: { name: b, namespace: x }, spec: { type: ExternalName } }\n";
  expect(read(`${one}---\n${list}---\nkind: Pod\n`)).toEqual([
    [
      "default/a",
      "ClusterIP",
      [
        { name: "http", port: 80 },
        { name: "", port: 81 },
      ],
    ],
    ["x/b", "ExternalName", []],
  ]);
  for (const text of [undefined, "kind: Service", "kind: [Service", one.replace("v1", "serving.knative.dev/v1")]) {
    expect(read(text)).toEqual([]);
  }
});

test("one that is taken for granted has the port that is asked for", () => {
  expect(assumedService("x", "a", 80).ports).toContainEqual({ name: "", port: 80 });
  expect(assumedService("x", "a", "http").ports[0]?.name).toBe("http");
});
