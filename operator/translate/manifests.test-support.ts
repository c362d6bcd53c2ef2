// Manifests for tests, as people write them. In: YAML documents, one of kind Settings if need be. Out: settings and stored objects.
import { parseAllDocuments } from "yaml";
import { isRawObject, reduce } from "../kube/reduce.ts";
import type { Kind, StoredObject } from "../objects.ts";
import type { TranslateSettings } from "./settings.ts";

const SETTINGS: TranslateSettings = {
  gatewayName: "default",
  publicUrl: "https://gateway.example.com",
  trustedProxies: [],
  allowedUpstreams: [],
  exemptTokens: [],
  selectors: true,
};

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly ownerReferences?: unknown };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

/** Supplies what the API server would: uid, generation, times, the default gateway, base64. */
export function readManifests(text: string): { settings: TranslateSettings; objects: StoredObject[] } {
  let settings = SETTINGS;
  const objects: StoredObject[] = [];
  for (const document of parseAllDocuments(text)) {
    const manifest = document.toJS() as Manifest;
    if (manifest.kind === "Settings") settings = withoutNulls({ ...SETTINGS, ...manifest.spec });
    else objects.push(storedObject(manifest));
  }
  return { settings, objects };
}

function storedObject(manifest: Manifest): StoredObject {
  const { kind, metadata, spec, stringData = {} } = manifest;
  const ours = kind === "A2AAgent" || kind === "VirtualKey";
  const namespace = kind === "Namespace" ? "" : "agents";
  const raw = {
    ...manifest,
    metadata: {
      namespace,
      uid: `uid-${metadata.name}`,
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...metadata,
    },
    ...(ours ? { spec: { gatewayName: "default", ...spec } } : {}),
    ...(kind === "Secret" ? { data: base64(stringData) } : {}),
  };
  const object = isRawObject(raw) ? reduce(kind as Kind, raw) : undefined;
  if (object === undefined) throw new Error(`a manifest of kind ${kind} gives no object`);
  // A Secret that says nothing of owners stands for one in a folder of files.
  if (object.kind !== "Secret" || metadata.ownerReferences !== undefined) return object;
  const { controller: _unsaid, ...secret } = object;
  return secret;
}

/** `null` takes a default away. */
const withoutNulls = (settings: TranslateSettings): TranslateSettings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null)) as unknown as TranslateSettings;

const base64 = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
