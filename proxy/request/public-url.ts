// Under which URL the client reaches this gateway. In: request headers, the peer's address, the gateway row. Out: a base URL.
import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIP } from "node:net";
import type { GatewayRow } from "../table/contract.ts";

const MAX_LENGTH = 512;
const label = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const authority = new RegExp(`^(?:${label}(?:\\.${label})*|\\[([0-9A-Fa-f:.]{2,45})\\])(?::([0-9]{1,5}))?$`);
const prefixForm = /^(?:\/[A-Za-z0-9._~-]+)*\/?$/;

/** A memo, not state: what it holds follows from its keys alone. */
const trusted = new WeakMap<GatewayRow, BlockList>();

/**
 * The base URL that cards name, with no trailing slash: `gateway.publicUrl`; else what a trusted proxy says in X-Forwarded-Proto,
 * -Host (or Host) and -Prefix; else, on a loopback listener, `http://` and the Host header. Undefined when none of them is there, or
 * when one that counts is malformed or a list: a guess would send clients elsewhere.
 */
export function publicBase(
  headers: IncomingHttpHeaders,
  peer: string,
  gateway: GatewayRow,
  loopback: boolean,
): string | undefined {
  if (gateway.publicUrl !== undefined) return gateway.publicUrl;
  const proto = headers["x-forwarded-proto"];
  if (proto !== undefined && gateway.trustedProxies.length > 0 && isTrusted(peer, gateway)) {
    const host = authorityOf(headers["x-forwarded-host"] ?? headers.host);
    const prefix = prefixOf(headers["x-forwarded-prefix"]);
    if ((proto !== "http" && proto !== "https") || host === undefined || prefix === undefined) return undefined;
    return `${proto}://${host}${prefix}`;
  }
  if (!loopback) return undefined;
  const host = authorityOf(headers.host);
  return host === undefined ? undefined : `http://${host}`;
}

function authorityOf(value: string | string[] | undefined): string | undefined {
  if (typeof value !== "string" || value.length > MAX_LENGTH) return undefined;
  const match = authority.exec(value);
  if (match === null || Number(match[2] ?? 1) > 65_535 || Number(match[2] ?? 1) === 0) return undefined;
  if (match[1] !== undefined && isIP(match[1]) !== 6) return undefined;
  return value.toLowerCase();
}

function prefixOf(value: string | string[] | undefined): string | undefined {
  if (value === undefined) return "";
  if (typeof value !== "string" || value.length > MAX_LENGTH || !prefixForm.test(value)) return undefined;
  if (value.split("/").some((segment) => segment === "." || segment === "..")) return undefined;
  return value.endsWith("/") ? value.slice(0, -1) : value;
}

function isTrusted(peer: string, gateway: GatewayRow): boolean {
  const family = isIP(peer);
  if (family === 0) return false;
  let list = trusted.get(gateway);
  if (list === undefined) {
    list = compile(gateway.trustedProxies);
    trusted.set(gateway, list);
  }
  return list.check(peer, family === 6 ? "ipv6" : "ipv4");
}

/** A CIDR, or an address alone. What is neither trusts nobody: the operator judged it before. */
function compile(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", bits] = cidr.split("/");
    const family = isIP(address);
    const size = family === 6 ? 128 : 32;
    const length = bits === undefined ? size : /^[0-9]{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family !== 0 && length >= 0 && length <= size) list.addSubnet(address, length, family === 6 ? "ipv6" : "ipv4");
  }
  return list;
}
