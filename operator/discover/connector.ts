// Connections to agents. In: a policy over addresses. Out: a connector for undici that judges each address that it would use.
import { lookup as systemLookup } from "node:dns";
import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import { buildConnector } from "undici";

/**
 * How connections are made. They have no timeout of their own, since each would keep its connection in memory until it is next looked at: when
 * the read ends, `signal` ends them, whose connecting a client that is destroyed would leave to the kernel.
 */
const optionsOf = (signal: AbortSignal) => ({ allowH2: false, timeout: 0, signal });

/** The policy forbids every address of the host. */
export class AddressRefused extends Error {
  constructor() {
    super("the address may not be reached");
  }
}

/** Resolves a name to all of its addresses. */
export type Resolve = (
  hostname: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

export const resolveBySystem: Resolve = (hostname, done) => {
  systemLookup(hostname, { all: true }, done);
};

/**
 * The judgement is on the very address that the socket then uses, so a name that resolves otherwise a moment later (DNS rebinding)
 * gains nothing.
 */
export function judgedConnector(
  allowed: (address: string) => boolean,
  resolve: Resolve,
  signal: AbortSignal,
): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, done) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) return done(error, "", 0);
      const admitted = addresses.filter(({ address }) => allowed(address));
      const [first] = admitted;
      if (first === undefined) return done(new AddressRefused(), "", 0);
      if (options.all === true) done(null, admitted);
      else done(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ ...optionsOf(signal), lookup });
  return (target, done) => {
    // An address that stands in the URL itself is never looked up.
    const host = target.hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0 && !allowed(host)) queueMicrotask(() => done(new AddressRefused(), null));
    else connect(target, done);
  };
}

/** Connects to an endpoint of the cluster, whose address is none of a Service's callers' choosing. */
export function plainConnector(servername: string | undefined, signal: AbortSignal): buildConnector.connector {
  return buildConnector({ ...optionsOf(signal), ...(servername === undefined ? {} : { servername }) });
}
