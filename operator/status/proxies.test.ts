import { expect, it } from "vitest";
import type { ProxyState } from "../publish/acks.ts";
import { endpoint, slice } from "../translate/objects.test-support.ts";
import { judgeProgrammed, tally } from "./programmed.ts";
import { proxiesOf } from "./proxies.ts";

const connected = (proxy: string, sequence: number): ProxyState => ({
  proxy,
  address: "",
  connectedAt: 1,
  standby: false,
  acked: { sequence, version: "v", at: 0 },
  refused: new Map(),
  refusedRows: 0,
});
const pods = (...names: readonly string[]) =>
  slice(
    {},
    names.map((name) => endpoint("10.0.0.1", { pod: `uid-${name}`, podName: name })),
  );
const judge = (...given: Parameters<typeof proxiesOf>) =>
  judgeProgrammed({ rowId: "agent/a/b", sequence: 5 }, 5, tally(proxiesOf(...given)));

it("counts the ready endpoints, and nobody else who is connected", () => {
  expect(judge([pods("a", "b")], [connected("uid-a", 5), connected("uid-b", 6), connected("old", 1)])).toMatchObject({
    status: "True",
  });
});

it("names a ready endpoint that lags, and one without a stream, by the names of their pods", () => {
  expect(judge([pods("a", "b", "c")], [connected("uid-a", 4), connected("uid-b", 5)])).toMatchObject({
    status: "False",
    reason: "NotApplied",
    message: "Not yet served by proxies a, c.",
  });
});

it("says that there are no proxies when no endpoint is ready, whoever is connected", () => {
  const leaving = slice({}, [
    endpoint("10.0.0.1", { pod: "uid-a", terminating: true }),
    endpoint("10.0.0.2", { pod: "uid-b", ready: false }),
    endpoint("10.0.0.3"),
  ]);
  expect(judge([leaving], [connected("uid-a", 5), connected("uid-b", 5)])).toMatchObject({ reason: "NoProxies" });
});

it("takes a pod once that stands in several slices", () => {
  expect(proxiesOf([pods("a"), pods("a", "b")], [])).toHaveLength(2);
});
