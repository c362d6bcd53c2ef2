// One port of one Service. In: the Service and its slices. Out: the addresses that stand behind it, sorted, each once.
import type { Endpoint, EndpointsRow } from "../../proxy/table/contract.ts";
import type { EndpointSliceObject, ServiceObject } from "../objects.ts";
import type { EndpointsState } from "./lookup.ts";

export interface TranslatedEndpoints {
  readonly state: EndpointsState;
  /** Null when there is no such port to speak of. */
  readonly row: EndpointsRow | null;
}

/**
 * `port` is a name or number of the Service's ports; slices carry the target under the same port name. An endpoint that is neither
 * ready nor serving is known, but not in the row. A dual-stack pod is taken once, by its IPv4 address.
 */
export function translateEndpoints(
  service: ServiceObject | undefined,
  port: string | number,
  slices: Iterable<EndpointSliceObject>,
): TranslatedEndpoints {
  if (service === undefined) return missing("ServiceNotFound");
  if (service.type === "ExternalName") return missing("ExternalNameService");
  const portName = service.ports.find((candidate) => candidate.port === port || candidate.name === port)?.name;
  if (portName === undefined) return missing("PortNotFound");

  const byAddress = new Map<string, Endpoint>();
  const families = new Map<string, string>();
  for (const slice of [...slices].sort(byFamilyAndName)) {
    if (slice.addressType !== "IPv4" && slice.addressType !== "IPv6") continue;
    const target = slice.ports.find(({ name }) => name === portName)?.port;
    if (target === undefined) continue;
    for (const { addresses, ready, serving, terminating, pod } of slice.endpoints) {
      // The first address is the one to use (discovery.k8s.io/v1, Endpoint).
      const address = addresses[0];
      if (address === undefined) continue;
      // Slices come in order of family, so what a pod has of an earlier family stays.
      if (pod !== undefined && (families.get(pod) ?? slice.addressType) !== slice.addressType) continue;
      if (pod !== undefined) families.set(pod, slice.addressType);
      const endpoint: Endpoint = {
        ...(pod === undefined ? {} : { pod }),
        address,
        port: target,
        ready: ready && !terminating,
        serving: serving || ready,
      };
      const id = `${address} ${target}`;
      const other = byAddress.get(id);
      // While an endpoint moves from slice to slice it stands in both: the better state is the newer one, as a rule.
      if (other === undefined || rank(endpoint) > rank(other)) byAddress.set(id, endpoint);
    }
  }
  const known = [...byAddress.values()].sort(byAddressAndPort);
  const endpoints = known.filter(({ ready, serving }) => ready || serving);
  const ready = known.filter((endpoint) => endpoint.ready).length;
  return { state: { ok: true, ready, known: known.length }, row: { endpoints } };
}

const missing = (reason: Exclude<EndpointsState, { ok: true }>["reason"]): TranslatedEndpoints => ({
  state: { ok: false, reason },
  row: null,
});

const rank = ({ ready, serving }: Endpoint): number => (ready ? 2 : Number(serving));

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const byFamilyAndName = (a: EndpointSliceObject, b: EndpointSliceObject): number =>
  compare(a.addressType, b.addressType) || compare(a.metadata.name, b.metadata.name);

const byAddressAndPort = (a: Endpoint, b: Endpoint): number => compare(a.address, b.address) || a.port - b.port;
