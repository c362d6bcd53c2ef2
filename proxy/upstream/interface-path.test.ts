import { expect, test } from "vitest";
import type { BackendInterface } from "../table/contract.ts";
import { createEndpointStates, urlTargets } from "./endpoint.ts";
import { interfacePath } from "./interface-path.ts";

function target(interfaces: readonly BackendInterface[], url = "https://agent.example.com/base/") {
  const [made] = urlTargets({ name: "b", weight: 1, url, interfaces }, url, createEndpointStates());
  if (made === undefined) throw new Error("no target");
  return made;
}

const both: readonly BackendInterface[] = [
  { binding: "JSONRPC", version: "1.0", path: "/rpc/v1" },
  { binding: "JSONRPC", version: "0.3", path: "/" },
  { binding: "HTTP+JSON", version: "1.0", path: "/rest" },
];

test.each([
  ["JSONRPC", "1.0", "/rpc/v1"],
  ["JSONRPC", "0.3", "/"],
  ["JSONRPC", "2.7", "/rpc/v1"],
  ["HTTP+JSON", "1.0", "/rest"],
  ["HTTP+JSON", "0.3", "/rest"],
] as const)("%s of %s is at %s", (binding, version, path) => {
  expect(interfacePath(target(both), binding, version)).toBe(path);
});

test("without a card, or without that binding in it, it is the backend's base path", () => {
  expect(interfacePath(target([]), "JSONRPC", "1.0")).toBe("/base");
  expect(interfacePath(target([]), "HTTP+JSON", "1.0")).toBe("/base");
  expect(interfacePath(target(both.slice(0, 1)), "HTTP+JSON", "1.0")).toBe("/base");
  expect(interfacePath(target([], "http://agent.example.com"), "JSONRPC", "1.0")).toBe("/");
  expect(interfacePath(target([], "http://agent.example.com"), "HTTP+JSON", "1.0")).toBe("");
});

test("HTTP+JSON at the root appends to nothing", () => {
  const root = target([{ binding: "HTTP+JSON", version: "1.0", path: "/" }]);
  expect(interfacePath(root, "HTTP+JSON", "1.0")).toBe("");
});
