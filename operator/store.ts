// The objects that the operator has read, by kind and name, and where one leads to another.
// In: reduced objects of a watch, a list or a folder. Out: whether they matter, and look-ups that cost what they give.
import { isDeepStrictEqual } from "node:util";
import { refOf } from "./objects.ts";
import type { EndpointSliceObject, Kind, Ref, StoredObject } from "./objects.ts";
import { createPacker, isOf } from "./packed.ts";
import type { PackedObject } from "./packed.ts";
import { createRecent } from "./recent.ts";
import { createTextMap } from "./text-map.ts";
import type { TextMap } from "./text-map.ts";

export type ObjectOf<K extends Kind> = Extract<StoredObject, { readonly kind: K }>;

/** The read side, which translation and discovery take. */
export interface ReadableStore {
  /** By reference; an agent or key of another gateway is not there. */
  get(ref: Ref): StoredObject | undefined;
  /** By kind and name. `namespace` is "" for a Namespace. */
  find<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined;
  /** All objects of a kind, in no order. */
  list<K extends Kind>(kind: K): Iterable<ObjectOf<K>>;
  /** The references of all objects of a kind, in no order; one that is set while they are walked may come twice. */
  refs(kind: Kind): Iterable<Ref>;
  /** How many objects of a kind there are. */
  size(kind: Kind): number;
  /** The slices of one Service, in no order. */
  slicesOf(namespace: string, service: string): Iterable<EndpointSliceObject>;
}

export interface Store extends ReadableStore {
  /**
   * Keeps the object. True when something changed that decides what is published: not for a new resourceVersion or new conditions
   * alone, though those are kept too. An agent or key that has left for another gateway counts as deleted.
   */
  set(object: StoredObject): boolean;
  /** True if it was there. */
  delete(ref: Ref): boolean;
  /** Whether the object is kept as it is here, by its uid and resourceVersion: costs nothing, and nothing of it need be looked at. */
  has(object: StoredObject): boolean;
  /** A list begins: nothing of a kind, or of one namespace of it, has been seen yet. Gives how many objects that are. */
  unsee(kind: Kind, namespace?: string): number;
  /** The list has brought it. What was not there when it began counts as seen. */
  see(ref: Ref): void;
  /** What was there when the list began, and still is, and was not brought. */
  unseen(kind: Kind, namespace?: string): readonly Ref[];
  /** Makes `objects` all that there is of a kind, as after a list. Gives the refs of what matters: changed, new or vanished. */
  replace(kind: Kind, objects: Iterable<StoredObject>): Ref[];
}

const KINDS = [
  "A2AAgent",
  "VirtualKey",
  "Secret",
  "Service",
  "EndpointSlice",
  "Namespace",
] as const satisfies readonly Kind[];

/** Characters of a Secret that is kept as it is: of so many tokens that it would be unpacked anew for each of many keys. */
const LONG_SECRET = 1024;

/** An empty store that keeps, of agents and keys, those of one gateway. */
export function createStore(options: { readonly gatewayName: string }): Store {
  const packer = createPacker();
  /** Of the kinds of which there may be many: a text of each object by `{namespace}/{name}`. What is not there is in `plain`. */
  const packed = new Map<Kind, TextMap>(
    (["A2AAgent", "VirtualKey", "Secret"] as const).map((kind) => [kind, createTextMap()]),
  );
  const plain = new Map<Kind, Map<Ref, StoredObject>>(KINDS.map((kind) => [kind, new Map()]));
  const slices = new Map<string, Map<Ref, EndpointSliceObject>>();
  /** Of those in `plain`; of the others it is a mark. */
  const unseen = new Set<Ref>();

  /** It is soon read again. */
  const recent = createRecent();

  const plainOf = (kind: Kind): Map<Ref, StoredObject> => plain.get(kind) ?? new Map<Ref, StoredObject>();
  const read = (kind: Kind, ref: Ref): StoredObject | undefined => {
    const text = packed.get(kind)?.get(nameIn(ref));
    if (text === undefined) return plainOf(kind).get(ref);
    const known = recent.get(ref, text);
    if (known !== undefined) return known;
    const [, namespace = "", name = ""] = ref.split("/");
    const object = packer.unpack(kind as PackedObject["kind"], namespace, name, text);
    recent.set(ref, text, object);
    return object;
  };
  const refs = function* (kind: Kind): Generator<Ref> {
    for (const name of packed.get(kind)?.names() ?? []) yield `${kind}/${name}`;
    yield* plainOf(kind).keys();
  };
  const readAll = function* (kind: Kind): Generator<StoredObject> {
    for (const ref of refs(kind)) {
      const object = read(kind, ref);
      if (object !== undefined) yield object;
    }
  };
  const write = (ref: Ref, object: StoredObject): void => {
    const texts = packed.get(object.kind);
    const text = texts === undefined ? undefined : packer.pack(object as PackedObject);
    const isPacked = text !== undefined && (object.kind !== "Secret" || text.length < LONG_SECRET);
    if (isPacked) {
      texts?.set(nameIn(ref), text);
      plainOf(object.kind).delete(ref);
      recent.set(ref, text, object);
      unseen.delete(ref);
    } else {
      texts?.delete(nameIn(ref));
      plainOf(object.kind).set(ref, object);
    }
  };

  const unlink = (ref: Ref, object: StoredObject | undefined): void => {
    if (object?.kind !== "EndpointSlice") return;
    const service = serviceKey(object.metadata.namespace, object.service);
    const ofService = slices.get(service);
    ofService?.delete(ref);
    if (ofService?.size === 0) slices.delete(service);
  };
  const link = (ref: Ref, object: StoredObject): void => {
    if (object.kind !== "EndpointSlice") return;
    const service = serviceKey(object.metadata.namespace, object.service);
    const ofService = slices.get(service) ?? new Map<Ref, EndpointSliceObject>();
    slices.set(service, ofService.set(ref, object));
  };

  const remove = (ref: Ref): boolean => {
    const kind = kindOf(ref);
    if (packed.get(kind)?.delete(nameIn(ref)) === true) return true;
    unlink(ref, plainOf(kind).get(ref));
    unseen.delete(ref);
    return plainOf(kind).delete(ref);
  };
  const set = (object: StoredObject): boolean => {
    const ref = refOf(object.kind, object.metadata.namespace, object.metadata.name);
    if (!isOurs(object, options.gatewayName)) return remove(ref);
    const before = read(object.kind, ref);
    unlink(ref, before);
    write(ref, object);
    link(ref, object);
    return before === undefined || !isSame(before, object);
  };

  return {
    get: (ref) => read(kindOf(ref), ref),
    find: <K extends Kind>(kind: K, namespace: string, name: string) =>
      read(kind, refOf(kind, namespace, name)) as ObjectOf<K> | undefined,
    list: <K extends Kind>(kind: K) => readAll(kind) as Iterable<ObjectOf<K>>,
    refs,
    size: (kind) => (packed.get(kind)?.size ?? 0) + plainOf(kind).size,
    slicesOf: (namespace, service) => slices.get(serviceKey(namespace, service))?.values() ?? [],
    set,
    has: ({ kind, metadata }) => {
      const ref = refOf(kind, metadata.namespace, metadata.name);
      if (metadata.resourceVersion === "") return false;
      const text = packed.get(kind)?.get(nameIn(ref));
      if (text !== undefined) return isOf(text, metadata);
      const known = plainOf(kind).get(ref)?.metadata;
      return known?.uid === metadata.uid && known.resourceVersion === metadata.resourceVersion;
    },
    delete: remove,
    unsee(kind, namespace) {
      let count = packed.get(kind)?.unmark(prefixOf(namespace)) ?? 0;
      for (const ref of plainOf(kind).keys()) {
        if (!nameIn(ref).startsWith(prefixOf(namespace))) continue;
        unseen.add(ref);
        count += 1;
      }
      return count;
    },
    see(ref) {
      packed.get(kindOf(ref))?.mark(nameIn(ref));
      unseen.delete(ref);
    },
    unseen(kind, namespace) {
      const names = packed.get(kind)?.unmarked(prefixOf(namespace)) ?? [];
      const others = Array.from(unseen).filter((ref) => ref.startsWith(`${kind}/${prefixOf(namespace)}`));
      return [...names.map((name) => `${kind}/${name}`), ...others];
    },
    replace(kind, objects) {
      const vanished = new Set(refs(kind));
      const changed: Ref[] = [];
      for (const object of objects) {
        const ref = refOf(kind, object.metadata.namespace, object.metadata.name);
        if (isOurs(object, options.gatewayName)) vanished.delete(ref);
        else continue;
        if (set(object)) changed.push(ref);
      }
      for (const ref of vanished) if (remove(ref)) changed.push(ref);
      return changed;
    },
  };
}

/** `{namespace}/{name}` of a reference. */
const nameIn = (ref: Ref): string => ref.slice(ref.indexOf("/") + 1);
/** With which the names of a namespace begin, or all. */
const prefixOf = (namespace: string | undefined): string => (namespace === undefined ? "" : `${namespace}/`);
const serviceKey = (namespace: string, service: string): string => `${namespace}/${service}`;

/** The kind that a reference names. */
function kindOf(ref: Ref): Kind {
  const kind = ref.slice(0, ref.indexOf("/"));
  const known = KINDS.find((candidate) => candidate === kind);
  if (known === undefined) throw new TypeError(`not a reference to an object: ${ref}`);
  return known;
}

function isOurs(object: StoredObject, gatewayName: string): boolean {
  switch (object.kind) {
    case "A2AAgent":
    case "VirtualKey":
      return object.spec.gatewayName === gatewayName;
    case "Secret":
    case "Service":
    case "EndpointSlice":
    case "Namespace":
      return true;
  }
}

/** Whether all is equal but what may change while all that is published stays. */
function isSame(before: StoredObject, after: StoredObject): boolean {
  const { resourceVersion: _, ...metadata } = after.metadata;
  for (const [member, value] of Object.entries(metadata)) {
    if (!isEqual(before.metadata[member as keyof typeof metadata], value)) return false;
  }
  if (before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp) return false;
  switch (after.kind) {
    case "A2AAgent":
      return (
        before.kind === after.kind &&
        isEqual(before.spec, after.spec) &&
        isEqual(before.status?.backends, after.status?.backends)
      );
    case "VirtualKey":
      return before.kind === after.kind && isEqual(before.spec, after.spec);
    case "Secret":
    case "Service":
    case "EndpointSlice":
    case "Namespace":
      return isDeepStrictEqual({ ...before, metadata: after.metadata }, after);
  }
}

const isEqual = (a: unknown, b: unknown): boolean => a === b || isDeepStrictEqual(a, b);
