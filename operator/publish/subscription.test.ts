import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDigest } from "../../proxy/table/digest.ts";
import { parseSubscription, subscriptionOf } from "./subscription.ts";

const digest = createDigest();
const whole = { gateway: "default", proxy: "p1", version: digest.version(), buckets: digest.prefixes() };

describe("parseSubscription", () => {
  it.each([whole, { gateway: "default", proxy: "p1" }, { gateway: "default", proxy: "p1", standby: true }])(
    "reads %o",
    (subscription) => {
      expect(parseSubscription(JSON.stringify(subscription), undefined)).toEqual({ ok: true, subscription });
    },
  );

  it("passes over members that it does not know, and takes who was proven for who is said", () => {
    expect(parseSubscription(JSON.stringify({ gateway: "g", proxy: "p1", later: 1 }), "pod-1")).toEqual({
      ok: true,
      subscription: { gateway: "g", proxy: "pod-1" },
    });
  });

  it.each([
    ["", "JSON"],
    ["null", "object"],
    ["[]", "object"],
    ["{}", "gateway"],
    [JSON.stringify({ gateway: "g" }), "proxy"],
    [JSON.stringify({ gateway: "g", proxy: "a/b" }), "proxy"],
    [JSON.stringify({ gateway: "g", proxy: "p", standby: false }), "standby"],
    [JSON.stringify({ gateway: "g", proxy: "p", version: "" }), "version"],
    [JSON.stringify({ gateway: "g", proxy: "p", version: 1 }), "version"],
    [JSON.stringify({ ...whole, version: undefined }), "version"],
    [JSON.stringify({ ...whole, buckets: [] }), "buckets"],
    [JSON.stringify({ ...whole, buckets: whole.buckets.slice(4) }), "buckets"],
    [JSON.stringify({ ...whole, buckets: ` ${whole.buckets}` }), "buckets"],
  ])("says what is wrong with %s", (text, word) => {
    expect(parseSubscription(text, undefined)).toEqual({ ok: false, fault: expect.stringContaining(word) });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseSubscription(text, undefined)).not.toThrow();
      }),
    );
  });
});

describe("subscriptionOf", () => {
  it("reads the query of a person, who may leave out the gateway and the version", () => {
    expect(subscriptionOf(new URLSearchParams("proxy=me&version="), "default", undefined)).toEqual({
      ok: true,
      subscription: { gateway: "default", proxy: "me" },
    });
    expect(subscriptionOf(new URLSearchParams("gateway=other&proxy=me"), "default", undefined)).toMatchObject({
      subscription: { gateway: "other" },
    });
  });
});
