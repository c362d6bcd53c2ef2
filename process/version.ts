// The release. In: package.json. Out: its version.
import { readFileSync } from "node:fs";

/** The version of this release, as in package.json: `1.2.3`. */
export function readVersion(manifest: URL = new URL("../package.json", import.meta.url)): string {
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version?: unknown };
  if (typeof version !== "string") throw new Error(`${manifest.pathname} holds no version`);
  return version;
}
