// Which proxies must serve an object before it is programmed. In: the slices of the proxies' Service, who has a stream. Out: the ready
// endpoints, each with what it acknowledged; one without a stream has acknowledged nothing. Pure.
import type { EndpointSliceObject } from "../objects.ts";
import type { ProxyState } from "../publish/acks.ts";

/** A proxy is an endpoint's pod by its UID. Whoever is connected and no ready endpoint does not count: no client reaches it. */
export function proxiesOf(
  slices: Iterable<EndpointSliceObject>,
  connected: readonly ProxyState[],
): readonly ProxyState[] {
  const streams = new Map(connected.map((state) => [state.proxy, state]));
  const found = new Map<string, ProxyState>();
  for (const { endpoints } of slices) {
    for (const { pod, podName, ready, terminating, addresses } of endpoints) {
      // A dual-stack pod stands in a slice of each family.
      if (pod === undefined || !ready || terminating || found.has(pod)) continue;
      const state = streams.get(pod) ?? withoutStream(pod, addresses[0] ?? "");
      found.set(pod, podName === undefined ? state : { ...state, name: podName });
    }
  }
  return [...found.values()].sort((a, b) => (a.proxy < b.proxy ? -1 : Number(a.proxy > b.proxy)));
}

const NOTHING: ReadonlyMap<string, string> = new Map();

const withoutStream = (proxy: string, address: string): ProxyState => ({
  proxy,
  address,
  connectedAt: 0,
  standby: false,
  acked: undefined,
  refused: NOTHING,
  refusedRows: 0,
});
