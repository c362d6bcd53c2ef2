// Where a card is looked for.
import { describe, expect, test } from "vitest";
import type { Backend } from "../../crds/types.ts";
import type { StoredObject } from "../objects.ts";
import { createStore } from "../store.ts";
import { agent, endpoint, secret, service, slice } from "../translate/objects.test-support.ts";
import { cardTarget, hasTarget, placeOf } from "./target.ts";

const storeOf = (...objects: StoredObject[]) => {
  const store = createStore({ gatewayName: "default" });
  for (const object of objects) store.set(object);
  return store;
};
const backend = (more: Partial<NonNullable<Backend["service"]>> = {}): Backend => ({
  name: "main",
  service: { name: "travel", port: 80, ...more },
});
const NAMES = ["/.well-known/agent-card.json", "/.well-known/agent.json"];
const half = (): number => 0.5;

describe("of a Service", () => {
  test("an endpoint that is ready, picked by chance", () => {
    const endpoints = [
      endpoint("10.0.0.1"),
      endpoint("10.0.0.2", { ready: false }),
      endpoint("10.0.0.3", { terminating: true }),
      endpoint("10.0.0.4"),
    ];
    const store = storeOf(service(), slice({}, endpoints));
    const picked = [0, 0.49, 0.5, 0.999].map((chance) => cardTarget(agent(), backend(), store, () => chance)?.origin);
    expect(picked).toEqual(["1", "1", "4", "4"].map((host) => `http://10.0.0.${host}:8080`));
  });

  test("scheme, path and host", () => {
    const store = storeOf(service(), slice({}, [endpoint("fd00::1")], { addressType: "IPv6" }));
    expect(cardTarget(agent(), backend({ scheme: "https", path: "/a2a/" }), store, half)).toEqual({
      origin: "https://[fd00::1]:8080",
      paths: NAMES.map((name) => `/a2a${name}`),
      headers: {},
      host: "travel.agents.svc",
      judged: false,
    });
  });

  test("nobody to ask", () => {
    const store = storeOf(service(), slice({}, [endpoint("10.0.0.1", { ready: false })]));
    expect(cardTarget(agent(), backend(), store, half)).toBeUndefined();
    expect(hasTarget(agent(), backend(), store)).toBe(false);
    expect(hasTarget(agent(), backend(), storeOf(service(), slice()))).toBe(true);
    expect(hasTarget(agent(), backend({ port: 81 }), storeOf(service(), slice()))).toBe(false);
  });
});

describe("of a URL", () => {
  const at = (url: string): Backend => ({ name: "main", url });

  test("judged, at its own host", () => {
    expect(cardTarget(agent(), at("https://travel.example.com:8443/base/"), storeOf(), half)).toEqual({
      origin: "https://travel.example.com:8443",
      paths: NAMES.map((name) => `/base${name}`),
      headers: {},
      judged: true,
    });
  });

  test("a path of its own stands for itself", () => {
    const of = agent({}, { card: { path: "/cards/travel.json", visibility: "Public" } });
    expect(cardTarget(of, at("https://travel.example.com/base"), storeOf(), half)?.paths).toEqual([
      "/cards/travel.json",
    ]);
  });

  test.each(["http://travel.agents.svc", "ftp://example.com", "https://user:pass@example.com", ""])(
    "never at %s",
    (url) => {
      expect(cardTarget(agent(), at(url), storeOf(), half)).toBeUndefined();
    },
  );
});

test("credentials come from upstream Secrets of the agent's namespace only", () => {
  const credentials = [
    { header: "authorization", scheme: "Bearer", secretRef: { name: "up", key: "token" } },
    { header: "x-plain", secretRef: { name: "up", key: "plain" } },
    { header: "x-virtual-key", secretRef: { name: "alice-key", key: "token" } },
    { header: "x-broken", secretRef: { name: "up", key: "broken" } },
    { header: "x-elsewhere", secretRef: { name: "elsewhere", key: "token" } },
  ];
  const store = storeOf(
    secret({ name: "up" }, { token: "t", plain: "p", broken: "a\r\nb: c" }, "upstream"),
    secret(),
    secret({ namespace: "other", name: "elsewhere" }, { token: "e" }, "upstream"),
  );
  const target = cardTarget(agent({}, { credentials }), { name: "main", url: "https://example.com" }, store, half);
  expect(target?.headers).toEqual({ authorization: "Bearer t", "x-plain": "p" });
});

test("a place is the same whatever does not change where the card is", () => {
  const here = placeOf(agent(), { ...backend(), weight: 1 });
  expect(placeOf(agent({}, { publicName: "x" }), { ...backend(), name: "renamed", weight: 2 })).toBe(here);
  const others = [
    placeOf(agent(), backend({ port: 81 })),
    placeOf(agent(), backend({ path: "/other" })),
    placeOf(agent(), backend({ scheme: "https" })),
    placeOf(agent({}, { card: { path: "/card.json", visibility: "Public" } }), backend()),
    placeOf(agent(), { name: "main", url: "https://example.com" }),
  ];
  expect(new Set([here, ...others]).size).toBe(others.length + 1);
});
