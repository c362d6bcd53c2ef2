// How the addresses of `url` backends are judged. In: a policy over addresses. Out: a lookup that gives only those that it admits.
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";

/** A connection that the administrator's policy forbids. */
export class AddressRefused extends Error {
  readonly code = "PARLEY_ADDRESS_REFUSED";
  constructor() {
    super("the address may not be reached from this gateway");
  }
}

/** Resolves a name to all of its addresses. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true; readonly family?: number },
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

const resolveBySystem: Resolve = (hostname, options, done) => {
  systemLookup(hostname, { ...options, verbatim: true }, done);
};

export interface AddressJudge {
  /** False for a host that is an address itself, and forbidden: an address is never looked up. */
  admits(host: string): boolean;
  readonly lookup: LookupFunction;
}

/**
 * Judges the addresses that sockets would use. The judgement is on the address that is then connected to, so a name that resolves
 * differently a moment later gains nothing (DNS rebinding).
 */
export function createAddressJudge(
  allowed: (address: string) => boolean,
  resolve: Resolve = resolveBySystem,
): AddressJudge {
  return {
    admits: (host) => isIP(host) === 0 || allowed(host),
    lookup(hostname, options, done) {
      resolve(hostname, { all: true, ...family(options.family) }, (error, addresses) => {
        if (error !== null) return done(error, "", 0);
        const admitted = addresses.filter(({ address }) => allowed(address));
        const [first] = admitted;
        if (first === undefined) return done(new AddressRefused(), "", 0);
        if (options.all === true) done(null, admitted);
        else done(null, first.address, first.family);
      });
    },
  };
}

function family(value: number | string | undefined): { family?: number } {
  if (value === 4 || value === "IPv4") return { family: 4 };
  return value === 6 || value === "IPv6" ? { family: 6 } : {};
}
