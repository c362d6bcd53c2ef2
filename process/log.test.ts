import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type LogLevel, createLog, openLogOutput } from "./log.ts";

function collect(level: LogLevel = "info") {
  const lines: string[] = [];
  const log = createLog({ output: { write: (line) => void lines.push(line) }, level, name: "proxy" });
  return { lines, log, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe("createLog", () => {
  test("writes JSON lines with level, time, name, fields and message", () => {
    const { lines, log, records } = collect();
    log.info({ rows: 3, source: "stream" }, "table applied");
    expect(lines[0]?.endsWith("\n")).toBe(true);
    expect(records()).toEqual([
      {
        level: "info",
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        name: "proxy",
        rows: 3,
        source: "stream",
        msg: "table applied",
      },
    ]);
  });

  test("leaves out what is below its level", () => {
    const { log, records } = collect("warn");
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    expect(records().map(({ level, msg }) => [level, msg])).toEqual([
      ["warn", "c"],
      ["error", "d"],
    ]);
  });

  test("shows errors with type, message and stack under err", () => {
    const { log, records } = collect();
    log.error({ err: new TypeError("no such thing") }, "failed");
    expect(records()[0]?.["err"]).toMatchObject({
      type: "TypeError",
      message: "no such thing",
      stack: expect.stringContaining("no such thing"),
    });
  });

  test.each(["authorization", "proxy-authorization", "cookie", "credential", "password", "secret", "sha256", "token"])(
    "redacts %s at the top and one level down",
    (name) => {
      const { lines, log } = collect();
      log.info({ [name]: "sk-very-secret", headers: { [name]: "sk-very-secret" }, agent: "a/b" }, "oops");
      expect(lines.join("")).not.toContain("sk-very-secret");
      expect(lines.join("")).toContain('"agent":"a/b"');
    },
  );

  test("keeps one line a record whatever a field holds", () => {
    const { lines, log, records } = collect();
    log.info({ agent: 'a\n{"level":"error","msg":"forged"}\r\n' }, "request");
    expect(lines.join("").split("\n")).toHaveLength(2);
    expect(records()[0]?.["agent"]).toBe('a\n{"level":"error","msg":"forged"}\r\n');
  });
});

describe("openLogOutput", () => {
  function openFile() {
    const folder = mkdtempSync(join(tmpdir(), "parley-log-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "log");
    return { fd: openSync(file, "w"), read: () => readFileSync(file, "utf8") };
  }

  // What a thread writes already when the flush comes may land beside it: whole lines, none lost, none twice.
  test("holds lines and writes them all, at the latest on flush", async () => {
    const { fd, read } = openFile();
    const output = openLogOutput({ fd, pretty: false, colours: false });
    for (let line = 0; line < 1000; line++) output.write(`{"line":${line}}\n`);
    output.flush();
    const numbers = (): number[] =>
      read()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => (JSON.parse(line) as { line: number }).line);
    await expect.poll(() => numbers().length).toBe(1000);
    expect(numbers().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, line) => line));
    expect(output.dropped).toBe(0);
    closeSync(fd);
  });

  test("gathers lines for a moment, and no more of them than fit", async () => {
    const { fd, read } = openFile();
    const waiting: (() => void)[] = [];
    const output = openLogOutput({ fd, pretty: false, colours: false, schedule: (run) => void waiting.push(run) });
    output.write("a\n");
    output.write("b\n");
    expect(waiting).toHaveLength(1);
    expect(read()).toBe("");
    waiting[0]?.();
    await expect.poll(read).toBe("a\nb\n");
    const long = `${"x".repeat(20_000)}\n`;
    output.write(long);
    await expect.poll(read).toBe(`a\nb\n${long}`);
    output.write("c\n");
    output.flush();
    await expect.poll(read).toBe(`a\nb\n${long}c\n`);
    closeSync(fd);
  });

  test("writes text for people when asked", async () => {
    const { fd, read } = openFile();
    const output = openLogOutput({ fd, pretty: true, colours: false });
    output.write('{"time":"2026-01-02T03:04:05.678Z","level":"warn","msg":"table is old","age":3}\n');
    output.flush();
    await expect.poll(read).toBe("03:04:05.678 WARN  table is old age=3\n");
    closeSync(fd);
  });

  test("makes text of each line of many", async () => {
    const { fd, read } = openFile();
    const output = openLogOutput({ fd, pretty: true, colours: false });
    const line = (msg: string): string => `{"time":"2026-01-02T03:04:05.678Z","level":"info","msg":"${msg}"}\n`;
    output.write(line("one") + line("two"));
    output.flush();
    await expect.poll(read).toBe("03:04:05.678 INFO  one\n03:04:05.678 INFO  two\n");
    closeSync(fd);
  });

  test("counts each line of many that are dropped", () => {
    const { fd } = openFile();
    const output = openLogOutput({ fd, pretty: false, colours: false });
    output.write(`${"x".repeat(8 * 1024 * 1024)}\n`.repeat(3));
    expect(output.dropped).toBe(3);
    closeSync(fd);
  });

  test("drops and counts what its reader does not take, without throwing", () => {
    const { fd } = openFile();
    const output = openLogOutput({ fd, pretty: false, colours: false });
    const line = `${"x".repeat(4 * 1024 * 1024)}\n`;
    for (let count = 0; count < 8; count++) output.write(line);
    expect(output.dropped).toBeGreaterThan(0);
    expect(output.dropped).toBeLessThan(8);
    output.flush();
    closeSync(fd);
  });
});
