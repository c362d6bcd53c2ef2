// Where a listener stands. In: text as `127.0.0.1:8080`. Out: host and port, and whether only this machine can reach it.
import { BlockList, isIP } from "node:net";

export interface ListenAddress {
  /** An IP address without brackets, or a host name. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
}

const hostName = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/;
const form = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]*)):([0-9]{1,5})$/;

/** Reads `host:port`, `[ipv6]:port` or `:port` (every address, as in other servers). Undefined: it is none of these. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  const ipv6 = match[1];
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? { host: ipv6, port } : undefined;
  const host = match[2] ?? "";
  if (host === "") return { host: "::", port };
  // Digits and dots that are no IPv4 address are a mistyped address, never a name.
  if (/^[0-9.]+$/.test(host) ? isIP(host) !== 4 : host.length > 253 || !hostName.test(host)) return undefined;
  return { host, port };
}

/** `127.0.0.1:8080`, `[::1]:8080`. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only this machine reaches the host: 127.0.0.0/8 (also as ::ffff:127.…), ::1, localhost. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === "localhost";
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}

/**
 * Whether a Host header names localhost or an IP address. A web page can point a name of its own at a loopback address and
 * read what stands there (DNS rebinding); it cannot choose the Host that is sent then.
 */
export function isLocalAuthority(authority: string | undefined): boolean {
  const match = form.exec(authority ?? "") ?? form.exec(`${authority ?? ""}:0`);
  const host = match?.[1] ?? match?.[2] ?? "";
  return isIP(host) !== 0 || isLoopback(host);
}
