import { Counter, Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import { type Admin, type AdminDeps, createAdmin } from "./admin.ts";
import { createLog } from "./log.ts";

const open: Admin[] = [];
const lines: string[] = [];
function setUp(deps: Partial<AdminDeps> = {}) {
  const registry = new Registry();
  const log = createLog({ output: { write: (line) => void lines.push(line) }, level: "info", name: "test" });
  const admin = createAdmin({ listen: { host: "127.0.0.1", port: 0 }, registry, log, unready: () => [], ...deps });
  open.push(admin);
  return { registry, admin, get: (url: string, headers = {}) => admin.app.inject({ method: "GET", url, headers }) };
}
afterEach(async () => {
  for (const admin of open.splice(0)) await admin.close();
  lines.length = 0;
});

describe("the admin listener", () => {
  test("is healthy while it runs, ready or not", async () => {
    const { get } = setUp({ unready: () => ["No table."] });
    const response = await get("/healthz");
    expect([response.statusCode, response.json()]).toEqual([200, { status: "ok" }]);
    expect(response.headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
  });

  test("says why it is not ready, as it is now", async () => {
    let reasons = ["No table.", "Shutting down."];
    const { get } = setUp({ unready: () => reasons });
    const unready = await get("/readyz");
    expect([unready.statusCode, unready.json()]).toEqual([503, { ready: false, reasons }]);
    reasons = [];
    const ready = await get("/readyz");
    expect([ready.statusCode, ready.json()]).toEqual([200, { ready: true, reasons: [] }]);
  });

  test("serves the registry in the text format", async () => {
    const { get, registry } = setUp();
    new Counter({ name: "things_total", help: "Things.", registers: [registry] }).inc(3);
    const response = await get("/metrics");
    expect(response.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(response.body).toBe("# HELP things_total Things.\n# TYPE things_total counter\nthings_total 3\n");
  });

  test("has the routes that were handed in, and 404 for others", async () => {
    const { get } = setUp({ routes: (app) => void app.get("/extra", () => ({ extra: true })) });
    expect((await get("/extra")).json()).toEqual({ extra: true });
    expect((await get("/a2a/hello")).statusCode).toBe(404);
  });

  test("logs what fails and tells the client nothing of it", async () => {
    const { get } = setUp({
      routes: (app) =>
        void app.get("/fails", () => {
          throw new Error("inner detail");
        }),
    });
    const response = await get("/fails?x=1");
    expect([response.statusCode, response.json()]).toEqual([500, { error: "internal error" }]);
    expect(lines.join("")).toContain("inner detail");
    expect(lines.join("")).toContain('"path":"/fails"');
  });

  test.each([
    ["127.0.0.1:9090", 200],
    ["localhost:9090", 200],
    ["[::1]:9090", 200],
    ["10.1.2.3:9090", 200],
    ["rebound.example.com:9090", 403],
  ])("on loopback answers a Host of %s with %d", async (host, status) => {
    expect((await setUp().get("/healthz", { host })).statusCode).toBe(status);
  });

  test("elsewhere answers any Host", async () => {
    const { get } = setUp({ listen: { host: "0.0.0.0", port: 0 } });
    expect((await get("/healthz", { host: "proxy.parley.svc:9090" })).statusCode).toBe(200);
  });

  test("listens, says where, and closes", async () => {
    const { admin } = setUp();
    const address = await admin.listen();
    expect(address).toEqual({ host: "127.0.0.1", port: expect.any(Number) });
    expect(address.port).toBeGreaterThan(0);
    const response = await fetch(`http://127.0.0.1:${address.port}/healthz`);
    expect(response.status).toBe(200);
    await admin.close();
    await expect(fetch(`http://127.0.0.1:${address.port}/healthz`)).rejects.toThrow("fetch failed");
  });
});
