// Files into manifests, each text judged once. In: texts as they were read. Out: what mergeFolder takes.
import type { Validator } from "../crds/validate.ts";
import type { FileText } from "./folder.ts";
import type { ReadFile } from "./last-good.ts";
import { readManifest } from "./manifest.ts";
import type { Manifest, Problem } from "./manifest.ts";

export type ManifestReader = (files: readonly FileText[]) => {
  readonly files: readonly ReadFile[];
  /** Of files that cannot be read at all. */
  readonly problems: readonly Problem[];
};

/** Remembers the files of the last call. */
export function createManifestReader(validator: Validator): ManifestReader {
  let known = new Map<string, { readonly text: string; readonly manifest: Manifest }>();
  return (files) => {
    const now: typeof known = new Map();
    const problems: Problem[] = [];
    const read = files.map(({ file, text, fault }): ReadFile => {
      if (text === undefined) {
        const message = fault ?? "cannot be read";
        problems.push({ file, line: 1, column: 1, object: undefined, path: "", message, severity: "error" });
        return { file, manifest: undefined };
      }
      const before = known.get(file);
      const manifest = before?.text === text ? before.manifest : readManifest(file, text, validator);
      now.set(file, { text, manifest });
      return { file, manifest };
    });
    known = now;
    return { files: read, problems };
  };
}
