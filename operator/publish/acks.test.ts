import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Ack } from "../../proxy/table/contract.ts";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import { createAcks, parseAck } from "./acks.ts";
import type { Acks } from "./acks.ts";

const ack = (proxy: string, sequence: number, more: Partial<Ack> = {}): Ack => ({
  proxy,
  replica: "r1",
  sequence,
  version: `v${sequence}`,
  refused: [],
  refusedRows: 0,
  ...more,
});

const stream = { address: "", standby: false };

describe("createAcks", () => {
  let acks: Acks;
  let clock: FakeClock;
  beforeEach(() => {
    clock = createFakeClock(1_000);
    acks = createAcks({ clock });
  });
  const sequences = (): unknown => acks.proxies().map(({ proxy, acked }) => [proxy, acked?.sequence]);

  it("keeps the newest acknowledgement of each proxy with a stream", () => {
    acks.connected("b", { address: "10.0.0.2:1", standby: true });
    acks.connected("a", { address: "10.0.0.1:1", standby: false });
    expect(acks.ack(ack("a", 3))).toBe(true);
    clock.advance(1_000);
    expect(acks.ack(ack("a", 5, { refused: [{ id: "key/x/y", reason: "unknown behaviour" }], refusedRows: 7 }))).toBe(
      true,
    );
    expect(sequences()).toEqual([
      ["a", 5],
      ["b", undefined],
    ]);
    expect(acks.proxies()[0]).toEqual({
      proxy: "a",
      address: "10.0.0.1:1",
      connectedAt: 1_000,
      standby: false,
      acked: { sequence: 5, version: "v5", at: 2_000 },
      refused: new Map([["key/x/y", "unknown behaviour"]]),
      refusedRows: 7,
    });
  });

  it("is not set back by an acknowledgement that was overtaken", () => {
    acks.connected("a", stream);
    acks.ack(ack("a", 5));
    expect(acks.ack(ack("a", 4))).toBe(true);
    expect(sequences()).toEqual([["a", 5]]);
  });

  it("knows nobody without a stream", () => {
    expect(acks.ack(ack("a", 1))).toBe(false);
    expect(sequences()).toEqual([]);
  });

  it("keeps what was acknowledged of a proxy that changes over with the very version that it acknowledged", () => {
    acks.connected("a", { address: "", standby: true });
    acks.ack(ack("a", 5));
    acks.connected("a", { address: "", standby: false, version: "v5" });
    expect(acks.proxies()).toMatchObject([{ standby: false, acked: { sequence: 5 } }]);
    acks.connected("a", { address: "", standby: false, version: "v4" });
    expect(sequences()).toEqual([["a", undefined]]);
  });

  it("forgets what was acknowledged when a proxy comes again, and is not confused by the old stream's end", () => {
    const old = acks.connected("a", stream);
    acks.ack(ack("a", 5));
    const fresh = acks.connected("a", stream);
    expect(sequences()).toEqual([["a", undefined]]);
    acks.disconnected(old);
    expect(sequences()).toEqual([["a", undefined]]);
    acks.disconnected(fresh);
    expect(sequences()).toEqual([]);
  });

  it("keeps a proxy whose stream was cut here as one that lags, until it comes again or a minute is over", () => {
    const old = acks.connected("a", stream);
    acks.ack(ack("a", 5));
    acks.lost(old);
    acks.disconnected(old);
    expect(acks.proxies()).toMatchObject([{ proxy: "a", acked: undefined, lost: true }]);
    expect(acks.ack(ack("a", 5))).toBe(false);
    clock.advance(30_000);
    const fresh = acks.connected("a", stream);
    clock.advance(60_000);
    expect(acks.ack(ack("a", 5))).toBe(true);
    expect(acks.proxies()[0]?.lost).toBeUndefined();
    acks.lost(fresh);
    acks.disconnected(fresh);
    clock.advance(59_999);
    expect(sequences()).toEqual([["a", undefined]]);
    let told = 0;
    acks.onChange(() => told++);
    clock.advance(1);
    expect([sequences(), told, clock.pending]).toEqual([[], 1, []]);
  });

  it("leaves no timer behind when it is closed", () => {
    acks.lost(acks.connected("a", stream));
    acks.close();
    expect(clock.pending).toEqual([]);
  });

  it("tells of every change, until told to stop", () => {
    let changes = 0;
    const stop = acks.onChange(() => changes++);
    const connection = acks.connected("a", stream);
    acks.ack(ack("a", 1));
    acks.ack(ack("z", 1));
    acks.disconnected(connection);
    expect(changes).toBe(3);
    stop();
    acks.connected("a", stream);
    expect(changes).toBe(3);
  });
});

describe("parseAck", () => {
  it("reads what a proxy sends", () => {
    const sent = ack("a", 3, { refused: [{ id: "agent/a/b", reason: "r" }], refusedRows: 1 });
    expect(parseAck(JSON.stringify(sent))).toEqual(sent);
  });

  it("ignores members that it does not know and bounds reasons", () => {
    const sent = { ...ack("a", 3), more: 1, refused: [{ id: "x", reason: "r".repeat(9_999), extra: true }] };
    expect(parseAck(JSON.stringify(sent))?.refused).toEqual([{ id: "x", reason: "r".repeat(500) }]);
  });

  it.each([
    "",
    "null",
    "[]",
    '"ack"',
    JSON.stringify({ ...ack("a", 3), proxy: 1 }),
    JSON.stringify({ ...ack("a", 3), sequence: -1 }),
    JSON.stringify({ ...ack("a", 3), sequence: 1.5 }),
    JSON.stringify({ ...ack("a", 3), sequence: "3" }),
    JSON.stringify({ ...ack("a", 3), refused: {} }),
    JSON.stringify({ ...ack("a", 3), refused: [null] }),
    JSON.stringify({ ...ack("a", 3), refused: [{ id: "x" }] }),
    JSON.stringify({ ...ack("a", 3), refused: Array.from({ length: 101 }, () => ({ id: "x", reason: "" })) }),
    JSON.stringify({ ...ack("a", 3), refusedRows: undefined }),
  ])("takes nothing else for an acknowledgement (%#)", (text) => {
    expect(parseAck(text)).toBeUndefined();
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseAck(text)).not.toThrow();
      }),
    );
  });
});
