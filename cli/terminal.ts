// How text looks on a terminal. In: where it goes and the environment. Out: functions that colour it, or leave it as it is.
import { styleText } from "node:util";

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/** Only on a terminal, and never with NO_COLOR (no-color.org) or TERM=dumb. */
export function hasColours(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

export function createPaint(colours: boolean): Paint {
  const with_ = (style: Parameters<typeof styleText>[0]) => (text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  return {
    bold: with_("bold"),
    dim: with_("dim"),
    red: with_("red"),
    yellow: with_("yellow"),
    green: with_("green"),
    cyan: with_("cyan"),
  };
}
