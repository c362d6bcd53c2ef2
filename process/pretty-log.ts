// Log lines for people. In: one JSON line. Out: one line of text: time, level, message, fields; colours when asked.
import { visible } from "./visible.ts";

const colourOf: Readonly<Record<string, number>> = { trace: 90, debug: 90, info: 36, warn: 33, error: 31, fatal: 31 };
/** Said by the columns themselves, or of no use to a person at a terminal. */
const unshown = new Set(["time", "level", "msg", "name", "err", "pid", "hostname"]);

function paint(text: string, code: number | undefined, colours: boolean): string {
  return colours && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text;
}

function valueText(value: unknown): string {
  if (typeof value === "string") return /^[^\s"=]+$/u.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}

/**
 * A JSON log line as text, with its line end: `12:00:00.123 INFO  message field=value`. Text that is no JSON object is kept,
 * made harmless. An error's stack follows on lines of its own.
 */
export function formatPretty(line: string, colours: boolean): string {
  let record: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== "object" || parsed === null) return `${visible(line.trimEnd())}\n`;
    record = parsed as Record<string, unknown>;
  } catch {
    return `${visible(line.trimEnd())}\n`;
  }
  const level = typeof record["level"] === "string" ? record["level"] : "info";
  const time = typeof record["time"] === "string" ? record["time"].slice(11, 23) : "";
  const message = typeof record["msg"] === "string" ? record["msg"] : "";
  const fields = Object.entries(record)
    .filter(([name, value]) => !unshown.has(name) && value !== undefined && value !== null)
    .map(([name, value]) => `${paint(`${visible(name)}=`, 90, colours)}${visible(valueText(value))}`);
  const head = `${paint(visible(time), 90, colours)} ${paint(visible(level).toUpperCase().padEnd(5), colourOf[level], colours)} ${visible(message)}`;
  const error = record["err"];
  const rows =
    typeof error === "object" && error !== null && "stack" in error && typeof error.stack === "string"
      ? error.stack.split("\n").map((row) => visible(row.trim()))
      : [];
  // Without a stack it is no bug but a reason.
  if (rows.length === 1) return `${[`${head}: ${rows[0] ?? ""}`, ...fields].join(" ")}\n`;
  return `${[head, ...fields].join(" ")}${rows.map((row) => `\n    ${row}`).join("")}\n`;
}
