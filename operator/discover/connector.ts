// Connections to agents. In: a policy over addresses. Out: a connector for undici that judges each address that it would use.
import { lookup as systemLookup } from "node:dns";
import type { LookupAddress } from "node:dns";
import { isIP, Socket } from "node:net";
import type { LookupFunction } from "node:net";
import { buildConnector } from "undici";

/** No timeouts of their own: the whole read has one, and each of them would keep its connection in memory until it is next looked at. */
const OPTIONS = { allowH2: false, timeout: 0 };

/** Told of each socket as it begins to connect: when the read ends it is to be destroyed, which undici does only once it is connected. */
type Begun = (socket: Socket) => void;

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
  begun: Begun,
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
  const connect = telling(begun, buildConnector({ ...OPTIONS, lookup }));
  return (target, done) => {
    // An address that stands in the URL itself is never looked up.
    const host = target.hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0 && !allowed(host)) queueMicrotask(() => done(new AddressRefused(), null));
    else connect(target, done);
  };
}

/** Connects to an endpoint of the cluster, whose address is none of a Service's callers' choosing. */
export function plainConnector(servername: string | undefined, begun: Begun): buildConnector.connector {
  return telling(begun, buildConnector({ ...OPTIONS, ...(servername === undefined ? {} : { servername }) }));
}

/** A connector of undici gives its socket, though its type does not say so. */
function telling(begun: Begun, connect: buildConnector.connector): buildConnector.connector {
  return (target, done) => {
    const socket: unknown = connect(target, done);
    if (socket instanceof Socket) begun(socket);
  };
}
