// URLs of backends: what is published of them, what is refused.
import { expect, test } from "vitest";
import { basePath, parseBackendUrl } from "./backend-url.ts";

test.each([
  ["https://travel.example.com", "https://travel.example.com"],
  ["https://travel.example.com/", "https://travel.example.com"],
  ["https://Travel.Example.com:443/a2a//", "https://travel.example.com/a2a"],
  ["http://192.0.2.7:8080/a%20b", "http://192.0.2.7:8080/a%20b"],
  ["http://[2001:DB8::7]:8080", "http://[2001:db8::7]:8080"],
  ["http://svc.example.com", "http://svc.example.com"],
  ["http://notsvc", "http://notsvc"],
])("%s is published as %s", (text, url) => {
  expect(parseBackendUrl(text)).toEqual({ ok: true, url });
});

test.each([
  ["", "absolute"],
  ["/a2a", "absolute"],
  ["ftp://example.com", "http or https"],
  ["javascript:alert(1)", "http or https"],
  ["https://user@example.com", "user or password"],
  ["https://:password@example.com", "user or password"],
  ["https://example.com?x=1", "no query"],
  ["https://example.com#top", "no fragment"],
  ["http://travel.agents.svc", "use service"],
  ["http://travel.agents.SVC.:80/", "use service"],
  ["http://travel.agents.svc.cluster.local", "use service"],
  ["http://kubernetes.default.svc.cluster.local.", "use service"],
  ["http://anything.cluster.local", "use service"],
])("%s is refused", (text, why) => {
  expect(parseBackendUrl(text)).toEqual({ ok: false, why: expect.stringContaining(why) });
});

test.each([
  [undefined, "/"],
  ["/", "/"],
  ["//", "/"],
  ["/a2a/", "/a2a"],
  ["/a2a", "/a2a"],
])("the base of %s is %s", (path, base) => {
  expect(basePath(path)).toBe(base);
});
