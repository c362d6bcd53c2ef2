// Where under a backend an operation is posted. In: binding, version, what the agent's card said. Out: a path prefix.
import type { BackendInterface, Binding } from "../table/contract.ts";
import type { Target } from "./endpoint.ts";

/**
 * Path of the interface with that binding and version, with no trailing slash but for the root "/" of JSON-RPC. A version that no
 * interface has gets the binding's first; a binding that the card does not name is tried at the backend's base path.
 */
export function interfacePath(target: Target, binding: Binding, version: string): string {
  let first: BackendInterface | undefined;
  for (const candidate of target.backend.interfaces) {
    if (candidate.binding !== binding) continue;
    if (candidate.version === version) return pathOf(candidate.path, binding);
    first ??= candidate;
  }
  return pathOf(first?.path ?? target.basePath, binding);
}

/** JSON-RPC posts to the path itself, HTTP+JSON appends to it. */
function pathOf(path: string, binding: Binding): string {
  if (binding === "JSONRPC") return path === "" ? "/" : path;
  return path === "/" ? "" : path;
}
