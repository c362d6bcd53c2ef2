// The process's own log. In: level, format, where to write. Out: a pino logger and the output that it shares with request lines.
import { fsyncSync } from "node:fs";
import { destination as openDestination, pino } from "pino";
import { formatPretty } from "./pretty-log.ts";

interface LogFunction {
  (fields: object, message: string): void;
  (message: string): void;
}

/** The part of a pino logger that is used: constant messages, facts as fields, an error as `err`. */
export interface Log {
  readonly trace: LogFunction;
  readonly debug: LogFunction;
  readonly info: LogFunction;
  readonly warn: LogFunction;
  readonly error: LogFunction;
}

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Takes whole lines that end in "\n"; never blocks and never throws; what cannot be held is dropped and counted. */
export interface LogOutput {
  write(lines: string): void;
  /** Writes out what is held, now and synchronously: for the end of the process. */
  flush(): void;
  /** Lines dropped since the start because the reader of the log was too slow. */
  readonly dropped: number;
}

/** Bytes held while the reader of the log is slow; lines beyond are dropped. */
const MAX_HELD = 16 * 1024 * 1024;

/** Bytes written at once at most. */
const MAX_WRITE = 64 * 1024;
/** How long lines wait for others before they are written together, and up to how many characters. */
const GATHER_MS = 10;
const MAX_GATHERED = 16 * 1024;

/** What pino's destination is when its content is buffers; pino's types know it with strings only. */
interface BufferSink {
  write(bytes: Buffer): boolean;
  flushSync(): void;
  on(event: "drop", listener: (bytes: Buffer) => void): unknown;
  on(event: "error", listener: () => void): unknown;
}

/**
 * Writes lines to a file descriptor off the event loop. With `pretty`, JSON lines become text for people.
 *
 * Each write costs a turn of a thread, which is more than to make a line: so lines are gathered for a moment. Then they are encoded, since
 * what waits for a slow reader as one string would be measured and copied again with all that joins it.
 *
 * @param options.schedule runs a function soon, once: by default after 10 ms
 */
export function openLogOutput(options: {
  fd: number;
  pretty: boolean;
  colours: boolean;
  schedule?: (run: () => void) => void;
}): LogOutput {
  const { fd, pretty, colours, schedule = (run) => void setTimeout(run, GATHER_MS) } = options;
  const sink = openDestination({
    dest: fd,
    sync: false,
    minLength: 0,
    maxLength: MAX_HELD,
    maxWrite: MAX_WRITE,
    contentMode: "buffer",
  }) as unknown as BufferSink;
  let gathered: string[] = [];
  let size = 0;
  let scheduled = false;
  let dropped = 0;

  function pass(): void {
    if (gathered.length === 0) return;
    const bytes = Buffer.from(gathered.length === 1 ? (gathered[0] ?? "") : gathered.join(""));
    gathered = [];
    size = 0;
    sink.write(bytes);
  }

  sink.on("drop", (bytes) => (dropped += linesIn(bytes)));
  // A closed pipe must not end the process: requests go on without a log.
  sink.on("error", () => dropped++);
  return {
    write(lines) {
      const text = pretty ? prettyLines(lines, colours) : lines;
      gathered.push(text);
      size += text.length;
      if (size >= MAX_GATHERED) pass();
      else if (!scheduled) {
        scheduled = true;
        schedule(() => {
          scheduled = false;
          pass();
        });
      }
    },
    flush() {
      pass();
      try {
        sink.flushSync();
        // What is on its way to a file already is waited for.
        fsyncSync(fd);
      } catch {
        // Not open yet, no file, or closed by its reader: nothing is left to save.
      }
    },
    get dropped() {
      return dropped;
    },
  };
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

function prettyLines(lines: string, colours: boolean): string {
  let text = "";
  for (const line of lines.split(/(?<=\n)/)) text += formatPretty(line, colours);
  return text;
}

/** Values under these names are never shown, whatever a caller logs by mistake; one level down too. */
const secretNames = [
  "authorization",
  "credential",
  "password",
  "secret",
  "token",
  "sha256",
  '["proxy-authorization"]',
  "cookie",
];

/** A logger that writes JSON lines: level as a word, time as ISO 8601, then fields, then msg. */
export function createLog(options: { output: Pick<LogOutput, "write">; level: LogLevel; name: string }): Log {
  return pino(
    {
      level: options.level,
      base: { name: options.name },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretNames.flatMap((name) => [name, name.startsWith("[") ? `*${name}` : `*.${name}`]),
        censor: "[redacted]",
      },
    },
    { write: (line) => options.output.write(line) },
  );
}
