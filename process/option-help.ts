// The help text of an executable. In: its table of options. Out: text of at most 100 columns, made of the table alone.
import { type Command, type OptionTable, envOf, flagOf } from "./option-table.ts";

const COLUMNS = 100;
const INDENT = 6;

/** Usage, then each group's options with default and environment variable. */
export function helpText(table: OptionTable, { command, summary, operands, flagsOnly }: Command): string {
  const lines = [
    ...wrap(`Usage: ${command} [options]${operands === undefined ? "" : ` ${operands.placeholder}`}`, 0),
    "",
    ...wrap(summary, 0),
  ];
  if (operands !== undefined) lines.push("", `  ${operands.placeholder}`, ...wrap(operands.help, INDENT));
  const groups = new Set(Object.values(table).map((row) => row.settings.group));
  for (const group of groups) {
    lines.push("", `${group}:`);
    for (const [name, { settings, placeholder, flag }] of Object.entries(table)) {
      if (settings.group !== group) continue;
      lines.push(`  ${flagOf(name)}${flag ? "" : ` ${placeholder}`}`);
      const notes = [
        settings.required === true ? "required" : defaultNote(settings),
        flagsOnly === true
          ? ""
          : `env ${[envOf(name), settings.alsoEnv].filter((each) => each !== undefined).join(" or ")}`,
      ].filter((note) => note !== "");
      lines.push(...wrap(notes.length === 0 ? settings.help : `${settings.help} [${notes.join("; ")}]`, INDENT));
    }
  }
  lines.push("", "Other:", "  --help, -h", ...wrap("Print this text.", INDENT));
  lines.push("  --version", ...wrap("Print the version.", INDENT));
  return `${lines.join("\n")}\n`;
}

function defaultNote(settings: { readonly default?: string; readonly defaultText?: string }): string {
  if (settings.defaultText !== undefined) return `default: ${settings.defaultText}`;
  return settings.default === undefined || settings.default === "" ? "" : `default ${settings.default}`;
}

/** Breaks at spaces; a word longer than a line stands alone. */
function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => " ".repeat(indent) + each);
}
