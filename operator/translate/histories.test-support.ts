// Random objects of all kinds for property tests. In: chance. Out: objects that often meet.
import * as fc from "fast-check";
import type { StoredObject } from "../objects.ts";
import { agent, endpoint, key, namespaceObject, secret, service, slice } from "./objects.test-support.ts";

// Few names, so that objects meet: shared Services and Secrets, claims on one name, tokens held twice.
const namespaces = fc.constantFrom("one", "two");
const names = fc.constantFrom("a", "b", "c");
const publicNames = fc.constantFrom(undefined, "a", "travel");
const services = fc.constantFrom("s", "t");
const secrets = fc.constantFrom("a-key", "b-key", "x");
const entries = fc.constantFrom("token", "other");
const tokens = fc.constantFrom("k".repeat(32), "l".repeat(32), "short", " padded".padEnd(40, "x"), "");
const labels = fc.constantFrom({}, { team: "blue" }, { team: "red" });
const selectors = fc.constantFrom({}, { matchLabels: { team: "blue" } });
const times = fc.constantFrom("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z");
const ports = fc.constantFrom("http", 80, 81);
const gateways = fc.constantFrom("default", "default", "default", "another");
const absent = fc.constant(undefined);

/** Members that are undefined are absent in objects as the API server gives them. */
const given = <T extends object>(record: T): { [member in keyof T]?: Exclude<T[member], undefined> } =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [member in keyof T]?: Exclude<T[member], undefined>;
  };

const objectMetadata = fc
  .record({
    creationTimestamp: times,
    deletionTimestamp: fc.oneof({ weight: 6, arbitrary: absent }, { weight: 1, arbitrary: times }),
    labels,
    generation: fc.integer({ min: 1, max: 3 }),
    resourceVersion: fc.nat().map(String),
  })
  .map(given);
const where = fc.record({ namespace: namespaces, name: names, metadata: objectMetadata });

const serviceBackend = fc.record({ name: services, port: ports }).map((ref) => ({ name: "main", service: ref }));
const urlBackend = fc
  .constantFrom("https://example.com/a", "https://example.com", "ftp://example.com")
  .map((url) => ({ name: "other", url }));
const allowedNamespaces = fc.oneof(
  fc.constantFrom({ from: "Same" as const }, { from: "All" as const }),
  selectors.map((selector) => ({ from: "Selector" as const, selector })),
);
const agents = fc
  .tuple(
    where,
    fc.record({
      gatewayName: gateways,
      publicName: publicNames,
      backends: fc.oneof(
        serviceBackend.map((backend) => [backend]),
        urlBackend.map((backend) => [backend]),
        fc.tuple(serviceBackend, urlBackend),
      ),
      allowedKeys: fc.oneof(
        absent,
        allowedNamespaces.map((of) => ({ namespaces: of })),
      ),
      credentials: fc.oneof(
        absent,
        fc.record({ name: secrets, key: entries }).map((secretRef) => [{ header: "x-key", secretRef }]),
      ),
    }),
    fc.oneof(absent, fc.constant({ backends: [{ name: "main", versions: ["1.0"], interfaces: [] }] })),
  )
  .map(([of, spec, status]) => agent(of, given(spec), status));
const keys = fc
  .tuple(
    where,
    fc.record({
      gatewayName: gateways,
      secretRef: fc.oneof(absent, fc.record({ name: secrets, key: entries })),
      agents: fc.array(
        fc.oneof(
          fc.record({ namespace: namespaces, name: names }),
          selectors.map((selector) => ({ selector })),
        ),
        { maxLength: 3 },
      ),
      disabled: fc.oneof(absent, fc.boolean()),
      expiresAt: fc.oneof(absent, fc.constantFrom("2027-01-01T00:00:00Z", "2027-01-01", "never")),
    }),
  )
  .map(([of, spec]) => key(of, given(spec)));
const secretObjects = fc
  .tuple(
    fc.record({ namespace: namespaces, name: secrets, metadata: objectMetadata }),
    fc.dictionary(entries, tokens),
    fc.constantFrom("key", "upstream"),
  )
  .map(([of, data, credential]) => secret(of, data, credential));
const serviceObjects = fc
  .tuple(
    fc.record({ namespace: namespaces, name: services, metadata: objectMetadata }),
    fc.constantFrom([{ name: "http", port: 80 }], [{ name: "", port: 81 }]),
    fc.constantFrom("ClusterIP", "ClusterIP", "ExternalName"),
  )
  .map(([of, list, type]) => service(of, list, type));
const slices = fc
  .tuple(
    fc.record({ namespace: namespaces, name: fc.constantFrom("s-1", "s-2", "t-1"), metadata: objectMetadata }),
    fc.array(
      fc
        .record({
          host: fc.integer({ min: 1, max: 4 }),
          ready: fc.boolean(),
          serving: fc.boolean(),
          terminating: fc.boolean(),
        })
        .map(({ host, ...conditions }) => endpoint(`10.0.0.${host}`, conditions)),
      { maxLength: 3 },
    ),
    // The label may be moved from Service to Service.
    services,
  )
  .map(([of, endpoints, of2]) => slice(of, endpoints, { service: of2 }));
const namespaceObjects = fc.tuple(namespaces, labels).map(([name, of]) => namespaceObject(name, of));

export const anyObject: fc.Arbitrary<StoredObject> = fc.oneof(
  { weight: 4, arbitrary: agents },
  { weight: 4, arbitrary: keys },
  { weight: 3, arbitrary: secretObjects },
  { weight: 2, arbitrary: serviceObjects },
  { weight: 3, arbitrary: slices },
  { weight: 1, arbitrary: namespaceObjects },
);
