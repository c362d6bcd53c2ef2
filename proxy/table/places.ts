// Where operators are. In: base URLs, names in which may stand for several addresses. Out: one place for each address, as it changes.
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** One operator to have a stream to. */
export interface Place {
  readonly id: string;
  /** Base URL; its name stays in the Host header and for TLS. */
  readonly url: URL;
  /** To connect to; undefined: as the name says at that moment. */
  readonly address: string | undefined;
}

/** Addresses of a name; rejects when it has none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export interface Places {
  /** Looks names up again, now. */
  refresh(): void;
  /** Waits for what is being looked up. */
  end(): Promise<void>;
}

export interface PlacesDeps {
  readonly operators: readonly string[];
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** All places, at the start and whenever they are others. */
  readonly onPlaces: (places: readonly Place[]) => void;
}

/** Names are looked up so often; milliseconds. */
const AGAIN_MS = 5000;

export const resolveAll: Resolve = async (name) => {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
};

/** Starts at once. A name that cannot be looked up keeps its places; one that never could is a place without an address. */
export function watchPlaces({ operators, resolve, clock, log, signal, onPlaces }: PlacesDeps): Places {
  const urls = operators.flatMap((base) => {
    const url = URL.parse(base);
    if (url === null) log.error({ operator: base }, "the operator's address is not a URL");
    return url ?? [];
  });
  const named = urls.filter(({ hostname }) => isIP(bare(hostname)) === 0);
  const found = new Map<URL, readonly Place[]>();
  for (const url of urls) if (!named.includes(url)) found.set(url, [{ id: url.href, url, address: undefined }]);
  let told = "";
  let looking: Promise<void> | undefined;

  const tell = (): void => {
    const places = new Map(urls.flatMap((url) => found.get(url) ?? []).map((place) => [place.id, place]));
    const ids = [...places.keys()].sort().join(" ");
    if (ids === told || signal.aborted) return;
    told = ids;
    onPlaces([...places.values()]);
  };

  const look = async (url: URL): Promise<void> => {
    try {
      const addresses = [...new Set(await resolve(url.hostname))].sort();
      found.set(
        url,
        addresses.map((address) => ({ id: `${url.href} ${address}`, url, address })),
      );
    } catch (error) {
      log.debug({ err: error, operator: url.href }, "the operator's name cannot be looked up");
      if (!found.has(url)) found.set(url, [{ id: url.href, url, address: undefined }]);
    }
  };

  const refresh = (): void => {
    if (named.length === 0 || looking !== undefined || signal.aborted) return;
    looking = Promise.all(named.map(look)).then(() => {
      looking = undefined;
      return tell();
    });
  };

  if (named.length > 0) {
    let timer = clock.setTimeout(again, AGAIN_MS);
    function again(): void {
      refresh();
      timer = clock.setTimeout(again, AGAIN_MS);
    }
    signal.addEventListener("abort", () => timer.cancel());
  }
  tell();
  refresh();
  return {
    refresh,
    end: async () => {
      await looking;
    },
  };
}

/** An IPv6 address without its brackets. */
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");
