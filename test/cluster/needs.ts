// What a machine must have to bring up a node of its own. In: the machine. Out: what is missing, with the command that installs it.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Program or file → Debian package. */
const NEEDS: readonly (readonly [what: string, debianPackage: string])[] = [
  ["containerd", "containerd"],
  ["runc", "runc"],
  ["/usr/lib/cni/bridge", "containernetworking-plugins"],
  ["nft", "nftables"],
  ["conntrack", "conntrack"],
  ["iptables", "iptables"],
  ["debootstrap", "debootstrap"],
  ["buildah", "buildah"],
  ["ip", "iproute2"],
  ["unshare", "util-linux"],
  ["openssl", "openssl"],
  ["curl", "curl"],
  ["pgrep", "procps"],
  ["sysctl", "procps"],
];

/** Packages that are missing, each once. Containers need root as well: `root` says whether we are. */
export function missingNeeds(path: string): readonly string[] {
  // Debian keeps some of them where a user's PATH does not look.
  const folders = [...path.split(delimiter), "/usr/sbin", "/sbin"];
  const there = (what: string): boolean =>
    what.startsWith("/") ? existsSync(what) : folders.some((folder) => existsSync(join(folder, what)));
  return [...new Set(NEEDS.filter(([what]) => !there(what)).map(([, name]) => name))];
}
