// Services that stand beside the manifests. In: texts of files. Out: Services as the store knows them.
// What is wrong in the texts is for the reader of manifests to tell.
import type { Metadata, ServiceObject } from "../operator/objects.ts";
import type { FileText } from "./folder.ts";
import { readYaml } from "./yaml-documents.ts";

/** Never throws; a Service without a name is passed over. `List` is unfolded. */
export function readServices(texts: readonly FileText[]): readonly ServiceObject[] {
  return texts.flatMap(({ text = "" }) =>
    text.includes("Service") ? readYaml(text).documents.flatMap(({ value }) => servicesIn(value)) : [],
  );
}

/** A Service that has just this port: for what a cluster may have. */
export function assumedService(namespace: string, name: string, port: string | number): ServiceObject {
  const ports = [typeof port === "number" ? { name: "", port } : { name: port, port: 1 }];
  return { kind: "Service", metadata: metadataOf(namespace, name), type: "ClusterIP", ports };
}

function servicesIn(value: unknown): ServiceObject[] {
  if (!isObject(value)) return [];
  if (value["kind"] === "List" && Array.isArray(value["items"])) return value["items"].flatMap(servicesIn);
  const { metadata, spec } = value;
  if (value["kind"] !== "Service" || value["apiVersion"] !== "v1" || !isObject(metadata)) return [];
  const { name, namespace } = metadata;
  if (typeof name !== "string" || name === "") return [];
  const { type, ports } = isObject(spec) ? spec : {};
  const listed: readonly unknown[] = Array.isArray(ports) ? ports : [];
  return [
    {
      kind: "Service",
      metadata: metadataOf(typeof namespace === "string" && namespace !== "" ? namespace : "default", name),
      type: typeof type === "string" ? type : "ClusterIP",
      ports: listed.filter(isObject).flatMap((each) => {
        const { name: portName, port } = each;
        return typeof port === "number" ? [{ name: typeof portName === "string" ? portName : "", port }] : [];
      }),
    },
  ];
}

const metadataOf = (namespace: string, name: string): Metadata => ({
  namespace,
  name,
  uid: `Service/${namespace}/${name}`,
  generation: 1,
  resourceVersion: "",
  creationTimestamp: "2000-01-01T00:00:00Z",
  labels: {},
});

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
