// What is served of a folder. In: what was served before, and what its files say now. Out: what is served from now on: an object whose
// edit is not valid stays as it was, and so does everything that an unreadable file held.
import { isDeepStrictEqual } from "node:util";
import type { Ref } from "../operator/objects.ts";
import { creationOf, orderOf } from "./manifest.ts";
import type { Manifest, ManifestEntry, ManifestObject, Problem } from "./manifest.ts";

export interface Served {
  readonly object: ManifestObject;
  readonly file: string;
  readonly position: ManifestEntry["position"];
}

export interface FolderState {
  readonly objects: ReadonlyMap<Ref, Served>;
  readonly problems: readonly Problem[];
}

export const EMPTY_STATE: FolderState = { objects: new Map(), problems: [] };

/** A file as it was read now. */
export interface ReadFile {
  readonly file: string;
  /** Undefined: it is there but cannot be read. */
  readonly manifest: Manifest | undefined;
}

/**
 * Pure. Of an object that stands in two files, the file that was in use stays in use; before that, the first in their order.
 * Objects that did not change are the same value. Ages follow the order in which objects were first seen.
 */
export function mergeFolder(previous: FolderState, files: readonly ReadFile[]): FolderState {
  const objects = new Map<Ref, Served>();
  const problems: Problem[] = [];
  const used = usedEntries(previous, files);
  let order = nextOrder(previous);

  const keep = (ref: Ref, before: Served, at: Pick<ManifestEntry, "ref" | "file" | "position">): void => {
    objects.set(ref, before);
    problems.push({ ...problemAt(at, "stays in use as it was last valid"), severity: "warning" });
  };

  for (const { file, manifest } of files) {
    problems.push(...(manifest?.problems ?? []));
    for (const entry of manifest?.entries ?? []) {
      const counting = used.get(entry.ref);
      if (counting !== undefined && counting !== entry) {
        const { line } = counting.position("");
        problems.push(problemAt(entry, `stands in ${counting.file}:${line} already; that one is used`));
        continue;
      }
      const before = previous.objects.get(entry.ref);
      if (entry.object !== undefined) {
        const object = before === undefined ? withOrder(entry.object, order++) : succeed(before.object, entry.object);
        objects.set(entry.ref, { object, file, position: entry.position });
      } else if (before !== undefined) keep(entry.ref, before, entry);
    }
    if (manifest !== undefined && !manifest.incomplete) continue;
    for (const [ref, before] of previous.objects) {
      // What an unreadable file held may stand in another one, too: that one counts then.
      if (before.file === file && !used.has(ref)) keep(ref, before, { ref, ...before });
    }
  }
  return { objects, problems };
}

/** Which entry counts for each object. */
function usedEntries(previous: FolderState, files: readonly ReadFile[]): ReadonlyMap<Ref, ManifestEntry> {
  const used = new Map<Ref, ManifestEntry>();
  for (const { manifest } of files) {
    for (const entry of manifest?.entries ?? []) {
      const other = used.get(entry.ref);
      const inUse = previous.objects.get(entry.ref)?.file;
      if (other === undefined || (other.file !== inUse && entry.file === inUse)) used.set(entry.ref, entry);
    }
  }
  return used;
}

/** The place in the order of ages after all that are there. */
function nextOrder({ objects }: FolderState): number {
  let next = 0;
  for (const { object } of objects.values()) next = Math.max(next, orderOf(object.metadata.creationTimestamp) + 1);
  return next;
}

function problemAt(entry: Pick<ManifestEntry, "ref" | "file" | "position">, message: string): Problem {
  const object = entry.ref.replace("/", " ");
  return { file: entry.file, ...entry.position(""), object, path: "", message, severity: "error" };
}

function withOrder<O extends ManifestObject>(object: O, order: number): O {
  return { ...object, metadata: { ...object.metadata, creationTimestamp: creationOf(order) } };
}

/** The new state with what an API server keeps, the time of creation, and counts, a generation for every change of the spec. */
function succeed(before: ManifestObject, object: ManifestObject): ManifestObject {
  const same = isDeepStrictEqual(contentOf(before), contentOf(object));
  const { creationTimestamp } = before.metadata;
  const generation = before.metadata.generation + (same ? 0 : 1);
  const next = { ...object, metadata: { ...object.metadata, creationTimestamp, generation } };
  return isDeepStrictEqual(before, next) ? before : next;
}

const contentOf = (object: ManifestObject): unknown =>
  object.kind === "Secret" ? [object.credential, object.data] : object.spec;
