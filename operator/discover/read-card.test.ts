// Reads of cards from real servers: both versions, both names, and what agents do wrong.
import { describe, expect, test } from "vitest";
import { startAgent } from "../../examples/agent/server.ts";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import { resolveBySystem } from "./connector.ts";
import type { Resolve } from "./connector.ts";
import { READ_TIMEOUT_MS, readCard } from "./read-card.ts";
import { CARD, serve, serveCard } from "./servers.test-support.ts";
import type { CardTarget } from "./target.ts";

const NAMES = ["/.well-known/agent-card.json", "/.well-known/agent.json"];
const target = (origin: string, more: Partial<CardTarget> = {}): CardTarget => ({
  origin,
  paths: NAMES,
  headers: {},
  judged: false,
  ...more,
});
const deps = (more: { clock?: ReturnType<typeof createFakeClock>; signal?: AbortSignal; resolve?: Resolve } = {}) => ({
  clock: createFakeClock(),
  allowed: () => false,
  resolve: resolveBySystem,
  signal: new AbortController().signal,
  ...more,
});
const read = (of: CardTarget, more: Parameters<typeof deps>[0] = {}) => readCard(of, new Map(), deps(more));

test("an agent of the JS SDK says both its versions", async () => {
  const agent = await startAgent({
    name: "hello",
    copy: "a",
    host: "127.0.0.1",
    port: 0,
    showHeaders: false,
    pace: 0,
    seconds: 0,
  });
  try {
    const got = await read(target(agent.url));
    expect(got).toMatchObject({ ok: true, card: { name: "hello", version: "1.0.0", signed: false } });
    const kinds = got.ok
      ? got.card.interfaces.map(({ binding, version, path }) => `${binding} ${version} ${path}`)
      : [];
    expect(kinds.sort()).toEqual(["HTTP+JSON 0.3 /", "HTTP+JSON 1.0 /", "JSONRPC 0.3 /", "JSONRPC 1.0 /"]);
    // The card has a tag for each version asked for: nothing is sent twice.
    expect(got.ok && [...got.answers.keys()].sort()).toEqual([` ${NAMES[0]}`, `1.0 ${NAMES[0]}`]);
    const again = await readCard(target(agent.url), got.ok ? got.answers : new Map(), deps());
    expect(again).toEqual(got);
  } finally {
    await agent.drain(0);
  }
});

describe("what is asked", () => {
  test("both versions of the first name that has a card, with the headers of the target", async () => {
    await using server = await serveCard();
    const headers = { authorization: "Bearer upstream-token" };
    await read(target(server.origin, { headers, host: "travel.agents.svc" }));
    expect(server.asked()).toEqual([`GET ${NAMES[0]}`, `GET ${NAMES[0]}`]);
    expect(server.requests.map((request) => request.headers["a2a-version"])).toEqual(["1.0", undefined]);
    for (const request of server.requests) {
      expect(request.headers).toMatchObject({
        host: "travel.agents.svc",
        authorization: "Bearer upstream-token",
        "accept-encoding": "identity",
      });
    }
  });

  test.each([404, 405, 410])("the second name, when the first answers %d", async (status) => {
    await using server = await serve((request, response) => {
      if (request.url === NAMES[0]) response.statusCode = status;
      response.end(JSON.stringify(CARD));
    });
    expect(await read(target(server.origin))).toMatchObject({ ok: true, card: { name: "Travel" } });
    expect(server.asked()).toEqual([NAMES[0], NAMES[0], NAMES[1], NAMES[1]].map((name) => `GET ${name}`));
  });

  test("one version is enough", async () => {
    await using server = await serve((request, response) => {
      if (request.headers["a2a-version"] === "1.0") response.statusCode = 400;
      response.end(JSON.stringify({ url: "http://x/old", protocolVersion: "0.3.0" }));
    });
    expect(await read(target(server.origin))).toMatchObject({
      ok: true,
      card: { interfaces: [{ binding: "JSONRPC", version: "0.3", path: "/old" }] },
    });
  });
});

describe("entity tags", () => {
  test("are sent again, and an answer that says unchanged gives what was read before", async () => {
    await using server = await serve((request, response) => {
      const tag = `"${String(request.headers["a2a-version"] ?? "none")}"`;
      response.setHeader("etag", tag);
      if (request.headers["if-none-match"] === tag) response.writeHead(304).end();
      else response.end(JSON.stringify(CARD));
    });
    const first = await read(target(server.origin));
    expect(first).toMatchObject({ ok: true, etag: '"1.0"' });
    const second = await readCard(target(server.origin), first.ok ? first.answers : new Map(), deps());
    expect(second).toEqual(first);
    expect(server.requests.map(({ headers }) => headers["if-none-match"])).toEqual([
      undefined,
      undefined,
      '"1.0"',
      '"none"',
    ]);
  });

  test.each(["no-quotes", '"with "inner" quotes"', `"${"x".repeat(300)}"`])("%s is not kept", async (etag) => {
    await using server = await serve((_request, response) =>
      response.setHeader("etag", etag).end(JSON.stringify(CARD)),
    );
    const got = await read(target(server.origin));
    expect(got).toMatchObject({ ok: true, answers: new Map() });
    expect(got).not.toHaveProperty("etag");
  });

  test("unchanged without being asked is a failure", async () => {
    await using server = await serve((_request, response) => response.writeHead(304).end());
    expect(await read(target(server.origin))).toMatchObject({ ok: false, why: "it answered with status 304" });
  });
});

describe("what goes wrong", () => {
  test.each([301, 302, 307, 308])("a redirect (%d) is not followed", async (status) => {
    await using elsewhere = await serveCard();
    await using server = await serve((_request, response) =>
      response.writeHead(status, { location: `${elsewhere.origin}/secret` }).end(),
    );
    expect(await read(target(server.origin))).toEqual({
      ok: false,
      reason: "CardUnreachable",
      why: `it answered with status ${status}`,
    });
    expect(elsewhere.asked()).toEqual([]);
  });

  test("no card under either name", async () => {
    await using server = await serve((_request, response) => response.writeHead(404).end());
    const why = `there is none at ${NAMES[0]} or ${NAMES[1]}`;
    expect(await read(target(server.origin))).toEqual({ ok: false, reason: "CardUnreachable", why });
  });

  test("the agent wants other credentials", async () => {
    await using server = await serve((_request, response) => response.writeHead(401).end("who are you"));
    expect(await read(target(server.origin))).toMatchObject({
      reason: "CardUnreachable",
      why: "it answered with status 401",
    });
  });

  test("something else than a card", async () => {
    await using server = await serve((_request, response) => response.end("<html>Hello</html>"));
    expect(await read(target(server.origin))).toMatchObject({ reason: "CardInvalid" });
  });

  test.each([
    ["said", true],
    ["unsaid", false],
  ])("more than a mebibyte, its length %s", async (_, said) => {
    const body = Buffer.alloc(1024 * 1024 + 1, " ");
    await using server = await serve((_request, response) => {
      if (said) response.setHeader("content-length", body.length);
      response.write(body.subarray(0, 1024));
      response.end(body.subarray(1024));
    });
    expect(await read(target(server.origin))).toMatchObject({ reason: "CardInvalid", why: "it is larger than 1 MiB" });
  });

  test("nobody listens", async () => {
    const server = await serveCard();
    await server[Symbol.asyncDispose]();
    expect(await read(target(server.origin))).toMatchObject({
      reason: "CardUnreachable",
      why: "the connection was refused",
    });
  });

  test("the connection breaks", async () => {
    await using server = await serve((request) => request.socket.destroy());
    expect(await read(target(server.origin))).toMatchObject({
      reason: "CardUnreachable",
      why: "the connection was closed before an answer",
    });
  });

  test("it takes too long", async () => {
    const clock = createFakeClock();
    // The clock moves once the request has arrived: before the head, and in the midst of the body.
    await using silent = await serve(() => clock.advance(READ_TIMEOUT_MS));
    expect(await read(target(silent.origin), { clock })).toMatchObject({ ok: false, why: "it took over 5 s" });
    await using slow = await serve((_request, response) => {
      response.write("{", () => clock.advance(READ_TIMEOUT_MS));
    });
    expect(await read(target(slow.origin), { clock })).toMatchObject({ ok: false, why: "it took over 5 s" });
  });

  test("it is no longer wanted", async () => {
    const stop = new AbortController();
    await using server = await serve(() => stop.abort());
    expect(await read(target(server.origin), { signal: stop.signal })).toMatchObject({ ok: false });
  });

  test("no timer is left behind", async () => {
    const clock = createFakeClock();
    await using server = await serveCard();
    await read(target(server.origin), { clock });
    expect(clock.pending).toEqual([]);
  });
});

describe("addresses that are judged", () => {
  const refused = { ok: false, reason: "UpstreamRefused" };
  const at =
    (address: string): Resolve =>
    (_hostname, done) =>
      done(null, [{ address, family: address.includes(":") ? 6 : 4 }]);

  test("an address in the URL", async () => {
    await using server = await serveCard();
    expect(await read(target(server.origin, { judged: true }))).toMatchObject(refused);
    expect(server.asked()).toEqual([]);
  });

  test("an IPv6 address in the URL", async () => {
    expect(await read(target("http://[::1]:1", { judged: true }))).toMatchObject(refused);
  });

  test("a name that leads there", async () => {
    await using server = await serveCard();
    const rebound = target(`http://travel.example.com:${server.port}`, { judged: true });
    expect(await read(rebound, { resolve: at("127.0.0.1") })).toMatchObject(refused);
    expect(server.asked()).toEqual([]);
  });

  test("of several addresses only those that are admitted are used", async () => {
    await using server = await serveCard();
    const judged: string[] = [];
    const got = await readCard(target(`http://travel.example.com:${server.port}`, { judged: true }), new Map(), {
      ...deps(),
      allowed: (address) => (judged.push(address), address === "127.0.0.1"),
      resolve: (_hostname, done) =>
        done(null, [
          { address: "169.254.169.254", family: 4 },
          { address: "127.0.0.1", family: 4 },
        ]),
    });
    expect(got).toMatchObject({ ok: true });
    expect(judged).toEqual(["169.254.169.254", "127.0.0.1"]);
    expect(server.requests[0]?.headers.host).toBe(`travel.example.com:${server.port}`);
  });

  test("a name that does not resolve", async () => {
    const resolve: Resolve = (_hostname, done) => done(Object.assign(new Error("no"), { code: "ENOTFOUND" }), []);
    expect(await read(target("http://nowhere.example.com", { judged: true }), { resolve })).toEqual({
      ok: false,
      reason: "CardUnreachable",
      why: "its host name is not known",
    });
  });
});
