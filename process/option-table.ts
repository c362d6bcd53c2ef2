// One row an option: the table that parsing and help are made of. In: value types and what to say of each. Out: typed rows.
import type { ParsedValue, ValueType } from "./option-values.ts";

export interface OptionSettings {
  /** Says what the option does, in a sentence or two. */
  readonly help: string;
  /** Heading in the help text. */
  readonly group: string;
  /** As a user would write it; it goes through the same parser. */
  readonly default?: string;
  /** Where the default comes from, when help cannot show it. */
  readonly defaultText?: string;
  readonly required?: true;
  /** Read when neither flag nor the option's own variable is given. */
  readonly alsoEnv?: string;
}

export interface Option<T> {
  readonly settings: OptionSettings;
  readonly placeholder: string;
  readonly flag: boolean;
  /** Undefined: nothing was given. */
  readonly read: (text: string | undefined) => ParsedValue<T>;
}

/** One row of an options table. Without `default` or `required` the value may be undefined. */
export function option<T>(
  type: ValueType<T>,
  settings: OptionSettings & ({ readonly default: string } | { readonly required: true }),
): Option<T>;
export function option<T>(type: ValueType<T>, settings: OptionSettings): Option<T | undefined>;
export function option<T>(type: ValueType<T>, settings: OptionSettings): Option<T | undefined> {
  return {
    settings,
    placeholder: type.placeholder,
    flag: type.flag === true,
    read(text) {
      const given = text ?? settings.default;
      if (given !== undefined) return type.parse(given);
      return settings.required === true ? { ok: false, instead: type.placeholder } : { ok: true, value: undefined };
    },
  };
}

/** By name in camel case: `adminListen` is `--admin-listen` and `PARLEY_ADMIN_LISTEN`. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;
export type OptionValues<O extends OptionTable> = { readonly [N in keyof O]: O[N] extends Option<infer T> ? T : never };

export interface Command {
  /** `parley serve`, as a user types it. */
  readonly command: string;
  readonly summary: string;
  /** Options come as flags alone: no environment variable is read. */
  readonly flagsOnly?: true;
  /** What may stand beside the options; absent: nothing. */
  readonly operands?: {
    readonly placeholder: string;
    readonly help: string;
    readonly min: number;
    readonly max: number;
  };
}

/** `adminListen`: `admin-listen`. */
export const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
export const flagOf = (name: string): string => `--${kebab(name)}`;
/** No name may end in Port or ServiceHost: Kubernetes sets PARLEY_…_PORT for Services whose name begins with `parley`. */
export const envOf = (name: string): string => `PARLEY_${kebab(name).replaceAll("-", "_").toUpperCase()}`;
