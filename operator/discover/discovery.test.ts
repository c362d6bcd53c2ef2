// Discovery over a store and real servers: what is read when, what is found, what is kept.
import { describe, expect, test } from "vitest";
import { agent, endpoint, secret, service, slice } from "../translate/objects.test-support.ts";
import { endpointsAt, setUp, STATUS, urlAgent } from "./discovery.test-support.ts";
import { REFRESH_MS } from "./schedule.ts";
import { CARD, serve, serveCard } from "./servers.test-support.ts";
import type { TestServer } from "./servers.test-support.ts";

describe("what is found", () => {
  test("of a Service: at an endpoint, under the Service's name", async () => {
    await using server = await serveCard({ name: "Tra\nvel", signatures: [{}] });
    const { discovery, next, outcomes } = setUp(agent(), service(), endpointsAt(server));
    discovery.lead(true);
    expect(await next()).toEqual({
      agent: { namespace: "agents", name: "travel", uid: "uid-agents-travel" },
      backends: [{ ...STATUS, cardName: "Tra vel", signed: true }],
      finding: {
        type: "Discovered",
        status: "True",
        reason: "CardsRead",
        message: "The cards of all backends were read.",
      },
    });
    expect(outcomes).toEqual(["ok"]);
    expect(server.requests[0]?.headers.host).toBe("travel.agents.svc");
  });

  test("of a URL: under its path, with the credentials of the agent", async () => {
    await using server = await serveCard();
    const of = urlAgent(`${server.origin}/base/`);
    const credentials = [
      { header: "authorization", scheme: "Bearer", secretRef: { name: "up", key: "token" } },
      { header: "x-missing", secretRef: { name: "up", key: "missing" } },
    ];
    const upstream = secret({ name: "up" }, { token: "upstream-token" }, "upstream");
    const { discovery, next } = setUp({ ...of, spec: { ...of.spec, credentials } }, upstream);
    discovery.lead(true);
    expect((await next()).backends).toEqual([STATUS]);
    expect(server.requests[0]?.url).toBe("/base/.well-known/agent-card.json");
    expect(server.requests[0]?.headers).toMatchObject({ authorization: "Bearer upstream-token" });
    expect(server.requests[0]?.headers).not.toHaveProperty("x-missing");
  });

  test("a path of its own is meant from the root of the host", async () => {
    await using server = await serveCard();
    const of = urlAgent(`${server.origin}/base`);
    const { discovery, next } = setUp({
      ...of,
      spec: { ...of.spec, card: { path: "/card.json", visibility: "Public" } },
    });
    discovery.lead(true);
    expect((await next()).backends).toEqual([STATUS]);
    expect(server.asked()).toEqual(["GET /card.json", "GET /card.json"]);
  });

  test("of several backends each its own, in the spec's order; one that fails harms no other", async () => {
    await using good = await serveCard();
    await using bad = await serve((_request, response) => response.end("no card"));
    const backends = [
      { name: "bad", url: bad.origin },
      { name: "main", url: good.origin },
      { name: "idle", service: { name: "travel", port: 80 } },
    ];
    const { discovery, next, outcomes } = setUp(agent({}, { backends }));
    discovery.lead(true);
    expect(await next()).toMatchObject({
      backends: [STATUS],
      finding: {
        status: "False",
        reason: "CardInvalid",
        message: expect.stringMatching(/^Backend bad: .*not a JSON object/),
      },
    });
    expect(outcomes.sort()).toEqual(["CardInvalid", "ok"]);
  });

  test("an address that is not allowed is refused", async () => {
    const { discovery, next } = setUp(urlAgent("http://169.254.169.254/latest"));
    discovery.lead(true);
    expect(await next()).toMatchObject({
      backends: [],
      finding: { status: "False", reason: "UpstreamRefused", message: expect.stringContaining("--allowed-upstreams") },
    });
  });
});

describe("when it is read", () => {
  test("nothing before it leads, nor after", async () => {
    await using server = await serveCard();
    const world = setUp(urlAgent(server.origin));
    world.change(urlAgent(`${server.origin}/other`));
    world.discovery.lead(false);
    expect(world.clock.pending).toEqual([]);
    world.discovery.lead(true);
    await world.next();
    world.discovery.lead(false);
    const asked = server.asked().length;
    world.change(urlAgent(server.origin));
    expect(world.clock.pending).toEqual([]);
    world.clock.advance(REFRESH_MS * 2);
    expect(server.asked().length).toBe(asked);
  });

  test("new and edited agents at once; what changes nothing for the card, not at all", async () => {
    await using server = await serveCard();
    const world = setUp();
    world.discovery.lead(true);
    world.change(urlAgent(server.origin));
    await world.next();
    const edited = urlAgent(`${server.origin}/other`);
    world.change(edited);
    expect(await world.next()).toMatchObject({ backends: [], finding: { status: "Unknown", reason: "Pending" } });
    await world.next();
    expect(server.requests.at(-1)?.url).toBe("/other/.well-known/agent-card.json");
    const asked = server.asked().length;
    await world.clock.scheduled((ms) => ms === REFRESH_MS);
    world.change(
      { ...edited, status: { backends: [STATUS] } },
      { ...edited, spec: { ...edited.spec, publicName: "journeys" } },
    );
    // Had it asked anew, the timer of the next routine read would be gone.
    expect(world.clock.pending).toEqual([REFRESH_MS]);
    expect(server.asked().length).toBe(asked);
  });

  test("of more than 3,000 agents ten a second", async () => {
    await using server = await serveCard();
    const gone = { deletionTimestamp: "2026-01-02T00:00:00Z" };
    const others = Array.from({ length: 5_999 }, (_, at) => agent({ name: `other-${at}`, metadata: gone }));
    const world = setUp(urlAgent(server.origin), ...others);
    world.discovery.lead(true);
    await world.next();
    await world.clock.scheduled((ms) => ms > 5_000);
    expect(world.clock.pending).toEqual([600_000]);
  });

  test("a backend that gets its first ready endpoint, at once", async () => {
    await using server = await serveCard();
    const world = setUp(agent(), service(), endpointsAt(server, false));
    world.discovery.lead(true);
    expect(await world.next()).toMatchObject({ backends: [], finding: { status: "Unknown", reason: "Pending" } });
    expect(server.asked()).toEqual([]);
    world.change(endpointsAt(server));
    expect(await world.next()).toMatchObject({ backends: [STATUS], finding: { reason: "CardsRead" } });
    const asked = server.asked().length;
    await world.clock.scheduled((ms) => ms === REFRESH_MS);
    // One more of them is no reason.
    world.change(
      slice({ name: "travel-2" }, [endpoint("127.0.0.2")], { ports: [{ name: "http", port: server.port }] }),
    );
    expect(world.clock.pending).toEqual([REFRESH_MS]);
    expect(server.asked().length).toBe(asked);
  });

  test("a backend whose endpoints come and go, at once and then every five seconds", async () => {
    await using server = await serveCard();
    const world = setUp(agent(), service(), endpointsAt(server, false));
    world.discovery.lead(true);
    await world.next();
    const flap = (): void => {
      world.change(endpointsAt(server, false));
      world.change(endpointsAt(server));
    };
    // Nobody was asked yet.
    world.change(endpointsAt(server));
    await world.next();
    await world.clock.scheduled((ms) => ms === REFRESH_MS);
    world.clock.advance(1000);
    for (let time = 0; time < 20; time += 1) flap();
    expect(world.clock.pending).toEqual([4000]);
    world.clock.advance(4000);
    await world.next();
    await world.clock.scheduled((ms) => ms === REFRESH_MS);
    expect(world.outcomes).toEqual(["ok", "ok"]);
    // After a pause it is at once again.
    world.clock.advance(5000);
    flap();
    await world.next();
    // An edit never waits.
    world.change(agent({}, { ...agent().spec, card: { path: "/card.json", visibility: "Public" } }));
    await world.next();
    await world.next();
    expect([world.outcomes.length, world.errors]).toEqual([4, []]);
  });

  test("a Service that comes late", async () => {
    await using server = await serveCard();
    const world = setUp(agent(), endpointsAt(server));
    world.discovery.lead(true);
    expect((await world.next()).finding.reason).toBe("Pending");
    world.change(service());
    expect((await world.next()).finding.reason).toBe("CardsRead");
  });

  test("again after five minutes", async () => {
    await using server = await serveCard();
    const world = setUp(urlAgent(server.origin));
    world.discovery.lead(true);
    await world.next();
    await world.clock.scheduled((ms) => ms === REFRESH_MS);
    world.clock.advance(REFRESH_MS);
    await world.next();
    expect(server.asked().length).toBe(4);
  });

  test("a new leader takes its time over what the one before has read", async () => {
    await using server = await serveCard();
    const status = { observedGeneration: 1, backends: [STATUS] };
    const read = { ...urlAgent(server.origin, "read"), status };
    const edited = { ...urlAgent(server.origin, "edited"), status: { ...status, observedGeneration: 0 } };
    const world = setUp(read, edited, urlAgent(server.origin, "new"));
    world.discovery.lead(true);
    expect([(await world.next()).agent.name, (await world.next()).agent.name].sort()).toEqual(["edited", "new"]);
    await world.clock.scheduled((ms) => ms === 15_000);
    world.clock.advance(15_000);
    expect((await world.next()).agent.name).toBe("read");
  });
});

describe("a failed read", () => {
  /** Answers a card while `works.now`, else 500. */
  const serveAtWill = async (works: { now: boolean }): Promise<TestServer> =>
    serve((_request, response) => {
      if (!works.now) response.statusCode = 500;
      response.end(JSON.stringify(CARD));
    });

  test("keeps the last finding, says why, and is repeated soon", async () => {
    const works = { now: true };
    await using server = await serveAtWill(works);
    const world = setUp(urlAgent(server.origin));
    world.discovery.lead(true);
    await world.next();
    works.now = false;
    await world.clock.scheduled();
    world.clock.advance(REFRESH_MS);
    const message = "Backend main: its card could not be read: it answered with status 500.";
    expect(await world.next()).toMatchObject({
      backends: [STATUS],
      finding: { status: "False", reason: "CardUnreachable", message },
    });
    works.now = true;
    await world.clock.scheduled((ms) => ms < 1000);
    world.clock.advance(1000);
    expect(await world.next()).toMatchObject({ backends: [STATUS], finding: { status: "True" } });
  });

  test("by a new leader keeps what the status says", async () => {
    await using server = await serveAtWill({ now: false });
    const world = setUp({ ...urlAgent(server.origin), status: { observedGeneration: 0, backends: [STATUS] } });
    world.discovery.lead(true);
    expect(await world.next()).toMatchObject({ backends: [STATUS], finding: { reason: "CardUnreachable" } });
  });

  test("of another place drops what the old one said", async () => {
    await using server = await serveCard();
    await using broken = await serveAtWill({ now: false });
    const world = setUp(urlAgent(server.origin));
    world.discovery.lead(true);
    await world.next();
    world.change({ ...urlAgent(broken.origin), status: { backends: [STATUS] } });
    expect(await world.next()).toMatchObject({ backends: [], finding: { status: "Unknown", reason: "Pending" } });
    expect(await world.next()).toMatchObject({ backends: [], finding: { reason: "CardUnreachable" } });
    await world.clock.scheduled((ms) => ms < 1000);
    world.clock.advance(1000);
    expect(await world.next()).toMatchObject({ backends: [], finding: { reason: "CardUnreachable" } });
  });

  test("is tried again when a Secret of the agent changes", async () => {
    await using server = await serve((request, response) => {
      if (request.headers["x-key"] !== "right") response.statusCode = 401;
      response.end(JSON.stringify(CARD));
    });
    const of = urlAgent(server.origin);
    const credentials = [{ header: "x-key", secretRef: { name: "up", key: "token" } }];
    const world = setUp(
      { ...of, spec: { ...of.spec, credentials } },
      secret({ name: "up" }, { token: "wrong" }, "upstream"),
    );
    world.discovery.lead(true);
    for (const wait of [875, 1750, 3500]) {
      expect((await world.next()).finding.message).toContain("status 401");
      await world.clock.scheduled((ms) => ms === wait);
      if (wait < 3500) world.clock.advance(wait);
    }
    world.change(secret({ name: "up" }, { token: "right" }, "upstream"));
    expect(world.clock.pending).toEqual([1000]);
    world.clock.advance(1000);
    expect((await world.next()).finding.reason).toBe("CardsRead");
  });
});

describe("a read under way", () => {
  test("is given up when the agent is edited: only the new place counts", async () => {
    await using good = await serveCard();
    const arrived = Promise.withResolvers<undefined>();
    await using hanging = await serve(() => arrived.resolve(undefined));
    const world = setUp(urlAgent(hanging.origin));
    world.discovery.lead(true);
    await arrived.promise;
    world.change(urlAgent(good.origin));
    expect(await world.next()).toMatchObject({ backends: [], finding: { status: "Unknown", reason: "Pending" } });
    expect(await world.next()).toMatchObject({ backends: [STATUS], finding: { reason: "CardsRead" } });
    expect(world.found).toEqual([]);
  });

  test.each(["deleted", "another gateway's", "no longer led", "stopped"])("says nothing when it is %s", async (how) => {
    const arrived = Promise.withResolvers<undefined>();
    const left = Promise.withResolvers<undefined>();
    await using hanging = await serve((request) => {
      request.socket.on("close", () => left.resolve(undefined));
      arrived.resolve(undefined);
    });
    const of = urlAgent(hanging.origin);
    const world = setUp(of);
    world.discovery.lead(true);
    await arrived.promise;
    if (how === "deleted") world.remove(of);
    if (how === "another gateway's") world.change({ ...of, spec: { ...of.spec, gatewayName: "other" } });
    if (how === "no longer led") world.discovery.lead(false);
    if (how === "stopped") world.stop.abort();
    await left.promise;
    await new Promise(setImmediate);
    expect(world.found).toEqual([]);
    expect(world.outcomes).toEqual([]);
    expect(world.clock.pending).toEqual([]);
  });
});

test("a fault of the listener is logged, and the agent is read again", async () => {
  await using server = await serveCard();
  const world = setUp(urlAgent(server.origin));
  world.failing.push(new Error("of the listener"));
  world.discovery.lead(true);
  await world.clock.scheduled((ms) => ms < 1000);
  expect(world.errors).toEqual(["discovery failed"]);
  world.clock.advance(1000);
  expect((await world.next()).finding.reason).toBe("CardsRead");
});
