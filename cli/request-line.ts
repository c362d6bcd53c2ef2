// The log of requests for people. In: one JSON log line of a request. Out: one short line: when, how it went, who called what, how long.
import { visible } from "../process/visible.ts";
import { createPaint } from "./terminal.ts";

/** A writer of request lines for a terminal. Lines that are no requests pass as they are. */
export function createRequestLines(write: (line: string) => void, colours: boolean): (line: string) => void {
  const paint = createPaint(colours);
  return (line) => {
    const record = parse(line);
    if (record === undefined) {
      write(line);
      return;
    }
    const text = (name: string): string | undefined => {
      const value = record[name];
      return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
    };
    const outcome = text("outcome") ?? "";
    const status = (outcome === "ok" ? paint.green : outcome === "client_closed" ? paint.yellow : paint.red)(
      text("status") ?? "-",
    );
    const latency = Number(record["latency_ms"] ?? 0);
    const parts = [
      paint.dim((text("time") ?? "").slice(11, 23)),
      status,
      withoutDefault(text("agent")) ?? "-",
      text("operation") ?? text("method") ?? "-",
      text("state"),
      record["streaming"] === true ? `${text("events") ?? "0"} events` : undefined,
      `${latency < 10 ? latency.toFixed(1) : Math.round(latency)} ms`,
      paint.dim(`key ${withoutDefault(text("key")) ?? "none"}`),
      text("endpoint") === undefined ? undefined : paint.dim(`→ ${text("endpoint")}`),
      outcome === "ok"
        ? undefined
        : paint.red([outcome, text("reason"), text("key_fault"), text("rpc_code")].filter(Boolean).join(" ")),
    ];
    write(`${parts.filter((part) => part !== undefined).join("  ")}\n`);
  };
}

const withoutDefault = (name: string | undefined): string | undefined => name?.replace(/^default\//, "");

/** Values are made harmless here, so that colours may be put around them. */
function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("msg" in value) || value.msg !== "request") return undefined;
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, typeof each === "string" ? visible(each) : each]),
    );
  } catch {
    return undefined;
  }
}
