// How `url` backends are connected to. In: a policy over addresses. Out: a connector that judges every address it would use.
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";

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

/**
 * Makes connections only to addresses that `allowed` admits. The judgement is on the address that the socket then uses, so a name
 * that resolves differently a moment later gains nothing (DNS rebinding).
 *
 * @param timeout milliseconds for name, connection and TLS together; 0: none
 */
export function judgedConnector(options: {
  timeout: number;
  allowed: (address: string) => boolean;
  resolve?: Resolve;
}): buildConnector.connector {
  const { timeout, allowed, resolve = resolveBySystem } = options;
  const lookup: LookupFunction = (hostname, lookupOptions, done) => {
    resolve(hostname, { all: true, ...family(lookupOptions.family) }, (error, addresses) => {
      if (error !== null) return done(error, "", 0);
      const admitted = addresses.filter(({ address }) => allowed(address));
      const [first] = admitted;
      if (first === undefined) return done(new AddressRefused(), "", 0);
      if (lookupOptions.all === true) done(null, admitted);
      else done(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ timeout, allowH2: false, lookup });
  return (target, done) => {
    const host = target.hostname.startsWith("[") ? target.hostname.slice(1, -1) : target.hostname;
    // An address in the URL is never looked up.
    if (isIP(host) !== 0 && !allowed(host)) {
      queueMicrotask(() => done(new AddressRefused(), null));
      return;
    }
    connect(target, done);
  };
}

function family(value: number | string | undefined): { family?: number } {
  if (value === 4 || value === "IPv4") return { family: 4 };
  return value === 6 || value === "IPv6" ? { family: 6 } : {};
}
