// The words of a bench's command line. In: arguments, the flags that there are. Out: their texts, or what to print instead.
import { parseArgs } from "node:util";

export interface Instead {
  readonly ok: false;
  readonly text: string;
  /** To end with. */
  readonly code: number;
}

/** Every flag takes a text, but for switches and --help. */
export function readFlags<const Name extends string, const Switch extends string = never>(
  argv: readonly string[],
  names: readonly Name[],
  usage: string,
  switches: readonly Switch[] = [],
):
  | {
      readonly ok: true;
      readonly texts: Readonly<Record<Name, string | undefined>>;
      readonly on: Readonly<Record<Switch, boolean | undefined>>;
    }
  | Instead {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...Object.fromEntries(names.map((name) => [name, { type: "string" as const }])),
        ...Object.fromEntries([...switches, "help"].map((name) => [name, { type: "boolean" as const }])),
      },
    });
    if (values["help"] === true) return { ok: false, text: usage, code: 0 };
    return {
      ok: true,
      texts: values as unknown as Record<Name, string | undefined>,
      on: values as unknown as Record<Switch, boolean | undefined>,
    };
  } catch (error) {
    return { ok: false, text: `${error instanceof Error ? error.message : "bad arguments"}\n\n${usage}`, code: 2 };
  }
}
