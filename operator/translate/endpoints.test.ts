// Slices to endpoints; most of it is shown by testdata/endpoints.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { translateEndpoints } from "./endpoints.ts";
import { endpoint, service, slice } from "./objects.test-support.ts";

const addresses = (row: ReturnType<typeof translateEndpoints>["row"]) => row?.endpoints.map(({ address }) => address);

describe("ports", () => {
  const named = service({}, [
    { name: "http", port: 80 },
    { name: "grpc", port: 90 },
  ]);
  test.each([
    ["name", "http"],
    ["number", 80],
  ])("by %s", (_, port) => {
    const { row } = translateEndpoints(named, port, [slice()]);
    expect(row).toEqual({ endpoints: [{ address: "10.0.0.1", port: 8080, ready: true, serving: true }] });
  });

  test("a number in quotes is a name", () => {
    expect(translateEndpoints(named, "80", [slice()]).state).toEqual({ ok: false, reason: "PortNotFound" });
  });

  test("a port that no slice has is there, with nobody behind it", () => {
    const { state, row } = translateEndpoints(named, "grpc", [slice()]);
    expect(state).toEqual({ ok: true, ready: 0, known: 0 });
    expect(row).toEqual({ endpoints: [] });
  });

  test("a single port needs no name", () => {
    const plain = service({}, [{ name: "", port: 80 }]);
    const { row } = translateEndpoints(plain, 80, [slice({}, undefined, { ports: [{ name: "", port: 9 }] })]);
    expect(row?.endpoints[0]?.port).toBe(9);
  });
});

describe("what there is no row for", () => {
  test.each([
    ["ServiceNotFound", undefined],
    ["PortNotFound", service({}, [])],
    ["ExternalNameService", service({}, undefined, "ExternalName")],
  ])("%s", (reason, of) => {
    expect(translateEndpoints(of, 80, [slice()])).toEqual({ state: { ok: false, reason }, row: null });
  });
});

describe("dual stack", () => {
  const v6 = (name: string, ...endpoints: ReturnType<typeof endpoint>[]) =>
    slice({ name }, endpoints, { addressType: "IPv6" });

  test("a pod is taken by its IPv4 address, in whatever order the slices come", () => {
    const both = [
      v6("a", endpoint("fd00::1", { pod: "p" })),
      slice({ name: "b" }, [endpoint("10.0.0.1", { pod: "p" })]),
    ];
    expect(addresses(translateEndpoints(service(), 80, both).row)).toEqual(["10.0.0.1"]);
    expect(addresses(translateEndpoints(service(), 80, both.toReversed()).row)).toEqual(["10.0.0.1"]);
  });

  test("without pods nothing says that two addresses are one", () => {
    const both = [v6("a", endpoint("fd00::1")), slice({ name: "b" })];
    expect(addresses(translateEndpoints(service(), 80, both).row)).toEqual(["10.0.0.1", "fd00::1"]);
  });

  test("IPv6 alone is fine", () => {
    const only = [v6("a", endpoint("fd00::2", { pod: "q" }), endpoint("fd00::1", { pod: "p" }))];
    expect(addresses(translateEndpoints(service(), 80, only).row)).toEqual(["fd00::1", "fd00::2"]);
  });
});

test("the order of slices never shows", () => {
  const endpoints = fc
    .record({
      host: fc.integer({ min: 1, max: 5 }),
      ready: fc.boolean(),
      serving: fc.boolean(),
      terminating: fc.boolean(),
    })
    .map(({ host, ...conditions }) => endpoint(`10.0.0.${host}`, { ...conditions, pod: `pod-${host}` }));
  const slices = fc
    .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.array(endpoints, { maxLength: 4 })), {
      selector: ([name]) => name,
    })
    .map((list) => list.map(([name, of]) => slice({ name }, of)));
  fc.assert(
    fc.property(slices, fc.nat(), (list, turn) => {
      const at = list.length === 0 ? 0 : turn % list.length;
      const turned = [...list.slice(at), ...list.slice(0, at)];
      const made = translateEndpoints(service(), 80, turned);
      expect(made).toEqual(translateEndpoints(service(), 80, list));
      const sorted = (made.row?.endpoints ?? []).map(({ address }) => address);
      expect(sorted).toEqual([...new Set(sorted)].sort());
    }),
  );
});
