// Another commit of this repository beside this tree. In: a commit. Out: a tree that runs with the packages of this one, and how to remove it.
import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** `folder`: where it is made. Throws when git knows no such commit. */
export function checkOut(commit: string, folder: string): { readonly tree: string; readonly remove: () => void } {
  const tree = join(folder, "against");
  execFileSync("git", ["worktree", "add", "--detach", tree, commit], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  return {
    tree,
    remove: () => {
      execFileSync("git", ["worktree", "remove", "--force", tree], { cwd: root, stdio: "ignore" });
    },
  };
}
