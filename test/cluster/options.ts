// The command line of the cluster tests. In: arguments. Out: options, help, or what is wrong.
import { parseArgs } from "node:util";

export const HELP = `Runs Parley as images on a real Kubernetes node, and puts it on trial there.

  npm run test:cluster -- [options] [FILE…]

  FILE…           only test files whose path holds one of these words
  --driver NAME   node: a node made of parts, in namespaces of its own (Linux, root); kind: by kind and Docker (node)
  --keep          leave the cluster up, and say how to look around and how to take it down
  --on WHERE      run on a cluster that was kept: node=FOLDER or kind=NAME, as --keep said
  --down WHERE    take down a cluster that was kept
  --up            bring a cluster up with all images, run nothing, keep it
  --help
`;

export interface ClusterTestOptions {
  readonly driver: "node" | "kind";
  readonly keep: boolean;
  readonly on: string | undefined;
  readonly down: string | undefined;
  readonly up: boolean;
  readonly help: boolean;
  readonly files: readonly string[];
}

/** @returns a sentence when something is wrong */
export function parseClusterTestOptions(args: readonly string[]): ClusterTestOptions | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        driver: { type: "string", default: "node" },
        keep: { type: "boolean", default: false },
        on: { type: "string" },
        down: { type: "string" },
        up: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const { driver, keep, on, down, up, help } = values;
    if (driver !== "node" && driver !== "kind") return `--driver must be node or kind, not ${JSON.stringify(driver)}`;
    return { driver, keep, on, down, up, help, files: positionals };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
