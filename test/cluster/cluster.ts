// A cluster as the tests see it: the one interface that a node of our own and kind have in common.
import type { ClusterApi } from "./api.ts";

export interface Cluster {
  /** How it is found again: `node=FOLDER` or `kind=NAME`. */
  readonly where: string;
  /** For kubectl and helm. */
  readonly kubeconfig: string;
  /** As administrator. */
  readonly api: ClusterApi;
  /** @throws CommandFailed with all that was said */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** @throws CommandFailed with all that was said */
  helm(args: readonly string[]): Promise<string>;
  /** Runs a shell script as root where the pods' processes can be seen. */
  onNode(script: string): Promise<string>;
  /** Ends the API server, as a crash would; nothing else. */
  stopApiServer(): Promise<void>;
  /** Starts it again; it may not be ready yet. */
  startApiServer(): Promise<void>;
  /** For people: how to look around. */
  readonly hint: string;
  /** Takes it down without a trace. */
  down(): Promise<void>;
}
