// What is served of a folder. In: what was served before, and what its files say now. Out: what is served from now on: an object whose
// edit is not valid stays as it was, and so does everything that an unreadable file held.
import { isDeepStrictEqual } from "node:util";
import type { Ref } from "../operator/objects.ts";
import { creationOf } from "./manifest.ts";
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

/** Pure. `files` in their order: of an object that stands twice the first counts. Objects that did not change are the same value. */
export function mergeFolder(previous: FolderState, files: readonly ReadFile[]): FolderState {
  const objects = new Map<Ref, Served>();
  const problems: Problem[] = [];
  const claimed = new Map<Ref, ManifestEntry>();
  let order = 0;

  const keep = (ref: Ref, before: Served): void => {
    objects.set(ref, { ...before, object: withOrder(before.object, order++) });
  };

  for (const { file, manifest } of files) {
    problems.push(...(manifest?.problems ?? []));
    for (const entry of manifest?.entries ?? []) {
      const first = claimed.get(entry.ref);
      if (first !== undefined) {
        const { line } = first.position("");
        const message = `stands in ${first.file}:${line} already; that one is used`;
        problems.push(problemAt(entry, message));
        continue;
      }
      claimed.set(entry.ref, entry);
      const before = previous.objects.get(entry.ref);
      if (entry.object !== undefined) {
        const object = succeed(before?.object, withOrder(entry.object, order++));
        objects.set(entry.ref, { object, file, position: entry.position });
      } else if (before !== undefined) {
        keep(entry.ref, before);
        problems.push({ ...problemAt(entry, "stays in use as it was last valid"), severity: "warning" });
      }
    }
    if (manifest !== undefined && !manifest.incomplete) continue;
    for (const [ref, before] of previous.objects) {
      if (before.file !== file || objects.has(ref) || claimed.has(ref)) continue;
      keep(ref, before);
      problems.push({ ...problemAt({ ref, ...before }, "stays in use as it was last valid"), severity: "warning" });
    }
  }
  // What an unreadable file held may stand in a later one, too: the later one counts then.
  return { objects, problems };
}

function problemAt(entry: Pick<ManifestEntry, "ref" | "file" | "position">, message: string): Problem {
  const object = entry.ref.replace("/", " ");
  return { file: entry.file, ...entry.position(""), object, path: "", message, severity: "error" };
}

function withOrder<O extends ManifestObject>(object: O, order: number): O {
  const creationTimestamp = creationOf(order);
  if (object.metadata.creationTimestamp === creationTimestamp) return object;
  return { ...object, metadata: { ...object.metadata, creationTimestamp } };
}

/** The new state with the generation that an API server would give: one more for every change of the spec. */
function succeed(before: ManifestObject | undefined, object: ManifestObject): ManifestObject {
  if (before === undefined) return object;
  const same = isDeepStrictEqual(contentOf(before), contentOf(object));
  const generation = before.metadata.generation + (same ? 0 : 1);
  const next = { ...object, metadata: { ...object.metadata, generation } };
  return isDeepStrictEqual(before, next) ? before : next;
}

const contentOf = (object: ManifestObject): unknown =>
  object.kind === "Secret" ? [object.credential, object.data] : object.spec;
