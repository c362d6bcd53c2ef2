// Which addresses a `url` backend may be reached at. In: CIDRs that the administrator allows. Out: a judge of IP addresses.
// Operator and proxy ask at connect time, of the address that was resolved; so it is part of the contract.
import { BlockList, isIPv4, isIPv6 } from "node:net";

/** IANA special-purpose addresses that are not globally reachable, and those where clouds serve credentials. */
const DENIED_IPV4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8",
  "100.64.0.0/10", // carrier-grade NAT; Alibaba's metadata at 100.100.100.200
  "127.0.0.0/8",
  "168.63.129.16/32", // Azure's host agent, a public address
  "169.254.0.0/16", // link-local; metadata of AWS, Azure, GCP and others at 169.254.169.254
  "172.16.0.0/12",
  "192.0.0.0/24", // protocol assignments; Oracle's metadata at 192.0.0.192
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // 6to4 relays, deprecated
  "192.168.0.0/16",
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
];

/** Only 2000::/3 is global unicast. What lies outside it is refused as a whole: ::1, ::, fc00::/7, fe80::/10, fec0::/10, ff00::/8 too. */
const DENIED_IPV6 = [
  "::/3", // but for the forms that carry an IPv4 address, see embeddedIpv4
  "4000::/2",
  "8000::/1",
  "2001::/23", // protocol assignments, Teredo among them
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4
  "3fff::/20", // documentation
];

/**
 * Makes a judge: true for an IP address that may be connected to. False for loopback, link-local, private, carrier-grade NAT,
 * multicast, unspecified, reserved and metadata addresses, in IPv4 and IPv6, and for anything that is not an address.
 * IPv4 inside IPv6 (::ffff:a.b.c.d, and 64:ff9b::a.b.c.d of RFC 6052) is judged as that IPv4 address.
 * `denied` adds CIDRs to those (a cluster's own); `allowed` wins over all. A CIDR in `allowed` that cannot be read admits
 * nothing; one in `denied` throws a RangeError, since passing over it would open what it was to close.
 */
export function createAddressPolicy(
  allowed: readonly string[],
  denied: readonly string[] = [],
): (address: string) => boolean {
  const open = createRanges();
  const closed = createRanges();
  for (const cidr of allowed) addCidr(open, cidr);
  for (const cidr of [...DENIED_IPV4, ...DENIED_IPV6, ...denied]) {
    if (!addCidr(closed, cidr)) throw new RangeError(`not a CIDR: ${cidr}`);
  }
  return (address) => {
    const zone = address.indexOf("%");
    const bare = zone === -1 ? address : address.slice(0, zone);
    const ipv4 = isIPv4(address) ? address : isIPv6(bare) ? embeddedIpv4(bare) : undefined;
    if (ipv4 !== undefined) return open.ipv4.check(ipv4, "ipv4") || !closed.ipv4.check(ipv4, "ipv4");
    return isIPv6(bare) && (open.ipv6.check(bare, "ipv6") || !closed.ipv6.check(bare, "ipv6"));
  };
}

/** A list of each family, since a BlockList takes an IPv4 address to be in ::/3 by its mapped form. */
interface Ranges {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

const createRanges = (): Ranges => ({ ipv4: new BlockList(), ipv6: new BlockList() });

/** A CIDR, or an address alone; false: it is neither. */
function addCidr(ranges: Ranges, cidr: string): boolean {
  const [address = "", length, ...rest] = cidr.split("/");
  if (rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return false;
  if (isIPv4(address)) {
    const prefix = Number(length ?? 32);
    if (prefix <= 32) ranges.ipv4.addSubnet(address, prefix, "ipv4");
    return prefix <= 32;
  }
  const prefix = Number(length ?? 128);
  if (!isIPv6(address) || address.includes("%") || prefix > 128) return false;
  const inner = prefix >= 96 ? embeddedIpv4(address) : undefined;
  if (inner === undefined) ranges.ipv6.addSubnet(address, prefix, "ipv6");
  else ranges.ipv4.addSubnet(inner, prefix - 96, "ipv4");
  return true;
}

/** The IPv4 address of ::ffff:0:0/96 (RFC 4291, section 2.5.5.2) and 64:ff9b::/96 (RFC 6052, section 2.1). */
function embeddedIpv4(address: string): string | undefined {
  const groups = groupsOf(address);
  // In decimal: 0xffff is 65535, 0x64 is 100, 0xff9b is 65435.
  const head = groups.slice(0, 6).join(":");
  if (head !== "0:0:0:0:0:65535" && head !== "100:65435:0:0:0:0") return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [group >>> 8, group & 0xff])
    .join(".");
}

/** The eight groups of an IPv6 address that net.isIPv6 accepted, without zone. */
function groupsOf(address: string): number[] {
  const [left = "", right] = address.split("::");
  const head = groupsIn(left);
  if (right === undefined) return head;
  const tail = groupsIn(right);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function groupsIn(part: string): number[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
