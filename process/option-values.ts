// What option values may be. In: the text that was given. Out: the value, or what to write instead.
import { isIP } from "node:net";
import { type ListenAddress, parseListenAddress } from "./listen-address.ts";

/** `instead` completes "write …". */
export type ParsedValue<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly instead: string };

export interface ValueType<T> {
  /** As help shows it: `HOST:PORT`. */
  readonly placeholder: string;
  /** True: the flag may stand without a value, and as `--no-flag`. */
  readonly flag?: true;
  readonly parse: (text: string) => ParsedValue<T>;
}

const good = <T>(value: T): ParsedValue<T> => ({ ok: true, value });
const bad = (instead: string): { ok: false; instead: string } => ({ ok: false, instead });

export const listenAddress: ValueType<ListenAddress> = {
  placeholder: "HOST:PORT",
  parse(text) {
    const address = parseListenAddress(text);
    return address === undefined ? bad("host:port, as 127.0.0.1:8080, [::1]:8080 or :8080") : good(address);
  },
};

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds, written as in the Gateway API (GEP-2257): up to four numbers with h, m, s or ms. */
export const duration: ValueType<number> = {
  placeholder: "DURATION",
  parse(text) {
    if (text === "0") return good(0);
    if (!/^(?:[0-9]{1,5}(?:h|ms|m|s)){1,4}$/.test(text)) return bad("a duration, as 30s, 500ms or 1m30s");
    let total = 0;
    for (const [, number, unit] of text.matchAll(/([0-9]+)(h|ms|m|s)/g))
      total += Number(number) * (units[unit ?? ""] ?? 0);
    return good(total);
  },
};

const multipliers: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/** A whole number of bytes, written as a Kubernetes quantity. */
export const bytes: ValueType<number> = {
  placeholder: "QUANTITY",
  parse(text) {
    const match = /^([0-9]{1,15}(?:\.[0-9]{1,6})?)([kMGT]|[KMGT]i)?$/.exec(text);
    const value = Number(match?.[1]) * (multipliers[match?.[2] ?? ""] ?? Number.NaN);
    return Number.isSafeInteger(value) ? good(value) : bad("a whole number of bytes, as 512Ki, 10Mi or 1G");
  },
};

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number): ValueType<number> {
  return {
    placeholder: "NUMBER",
    parse(text) {
      const value = /^-?[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? good(value) : bad(`a whole number from ${min} to ${max}`);
    },
  };
}

export const boolean: ValueType<boolean> = {
  placeholder: "true|false",
  flag: true,
  parse(text) {
    if (text === "true" || text === "1") return good(true);
    if (text === "false" || text === "0") return good(false);
    return bad("true or false");
  },
};

/** One of a fixed list of words. */
export function oneOf<const T extends string>(words: readonly T[]): ValueType<T> {
  return {
    placeholder: words.join("|"),
    parse(text) {
      const word = words.find((candidate) => candidate === text);
      return word === undefined ? bad(`one of ${words.join(", ")}`) : good(word);
    },
  };
}

/** An absolute http or https URL without credentials, query and fragment; given back without a trailing slash. */
export const httpUrl: ValueType<string> = {
  placeholder: "URL",
  parse(text) {
    const instead = bad("an http or https URL without credentials, query and fragment, as https://gateway.example.com");
    if (!/^https?:\/\//i.test(text) || /[\s\\?#]/.test(text) || !URL.canParse(text)) return instead;
    const url = new URL(text);
    if (url.username !== "" || url.password !== "" || url.hostname === "") return instead;
    return good(url.href.replace(/\/+$/, ""));
  },
};

/** An address range; an address alone is a range of one. */
export const cidr: ValueType<string> = {
  placeholder: "CIDR",
  parse(text) {
    const [address = "", bits, more] = text.split("/");
    const family = isIP(address);
    const longest = family === 6 ? 128 : 32;
    const length = bits === undefined ? longest : /^[0-9]{1,3}$/.test(bits) ? Number(bits) : Infinity;
    if (family === 0 || address.includes("%") || more !== undefined || length > longest) {
      return bad("an address range, as 10.0.0.0/8 or fd00::/8");
    }
    return good(`${address}/${length}`);
  },
};

/** Text that a pattern admits. `what` says in words what to write. */
export function text(placeholder: string, pattern: RegExp, what: string): ValueType<string> {
  return { placeholder, parse: (given) => (pattern.test(given) ? good(given) : bad(what)) };
}

/** RFC 1123: of gateways, namespaces. */
export const dnsLabel: ValueType<string> = text(
  "NAME",
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  "a name of lower-case letters, digits and hyphens",
);

/** Of most objects of Kubernetes: RFC 1123, with dots. */
export const objectName: ValueType<string> = text(
  "NAME",
  /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/,
  "the name of an object: lower-case letters, digits, hyphens and dots",
);

/** What processes call themselves: safe in paths, labels and log lines. */
export const PROCESS_ID = /^[A-Za-z0-9._-]{1,128}$/;
export const processId: ValueType<string> = text(
  "ID",
  PROCESS_ID,
  "letters, digits, dots, hyphens and underscores, up to 128",
);

/** A path of a file or folder. Whether it is there is for its reader to say. */
export const path: ValueType<string> = text("PATH", /^[^\0]+$/, "a path");

/** Several values, separated by commas; the option may also be given several times. "" is none. */
export function listOf<T>(type: ValueType<T>): ValueType<readonly T[]> {
  return {
    placeholder: `${type.placeholder},…`,
    parse(given) {
      const values: T[] = [];
      for (const item of given.split(",").map((part) => part.trim())) {
        if (item === "") continue;
        const parsed = type.parse(item);
        if (!parsed.ok) return bad(`${parsed.instead}; several are separated by commas`);
        values.push(parsed.value);
      }
      return good(values);
    },
  };
}
