import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RowChange } from "./contract.ts";
import { bucketOf } from "./digest.ts";
import { encodeLine, encodePut } from "./encode.ts";
import { openLastGood, type LastGood } from "./last-good.ts";
import type { Loaded } from "./load-log.ts";
import { encodeRecord } from "./records.ts";
import { agentRow, endpointsRow, keyRow } from "./rows.test-support.ts";
import { createTable } from "./table.ts";

let folder = "";
let file = "";
const errors: string[] = [];
const ignore = (): void => undefined;
const note = (_fields: object, message: string): number => errors.push(message);
const log = { debug: ignore, info: ignore, warn: note, error: note };
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "last-good-"));
  file = join(folder, "table.log");
  errors.length = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const openLog = (gateway = "default", path = file, random = 0): Promise<LastGood> =>
  openLastGood({ file: path, gateway, random: () => random, log });

/** A table whose batches go to a log as a stream's would; remembers every version that was committed. */
function recording(lastGood: LastGood) {
  const table = createTable();
  const versions = [table.version];
  const apply = async (changes: readonly RowChange[], reset = false): Promise<boolean> => {
    lastGood.begin(reset, table.version);
    for (const { id, row } of changes) {
      lastGood.line(row === null ? encodeLine({ type: "REMOVE", id }) : encodePut(id, row));
    }
    table.applyLocal(changes, reset);
    versions.push(table.version);
    return lastGood.commit({ rows: table.rows, version: table.version });
  };
  return { table, versions, apply };
}

async function load(gateway = "default", path = file): Promise<{ loaded: Loaded; dump: unknown; version: string }> {
  const lastGood = await openLog(gateway, path);
  const table = createTable();
  const loaded = await lastGood.load(table, never);
  await lastGood.close();
  return { loaded, dump: [...table.dump()], version: table.version };
}

const start: readonly RowChange[] = [
  { id: "agent/agents/travel", row: agentRow({ publicName: "travel" }) },
  { id: "key/agents/alice", row: keyRow("sk-alice") },
  { id: "endpoints/agents/travel/http", row: endpointsRow("10.0.0.1") },
];
const later: readonly RowChange[] = [
  { id: "key/agents/bob", row: keyRow("sk-bób") },
  { id: "key/agents/alice", row: null },
];

describe("what was committed comes back", () => {
  test("after a whole table and batches upon it", async () => {
    const lastGood = await openLog();
    const { table, apply } = recording(lastGood);
    expect(await apply(start, true)).toBe(true);
    expect(await apply(later)).toBe(true);
    await lastGood.close();
    const { loaded, dump, version } = await load();
    expect(loaded).toMatchObject({ ok: true, rows: 3, version: table.version, cut: false });
    expect(version).toBe(table.version);
    expect(dump).toStrictEqual([...table.dump()]);
  });

  test("and goes on from there", async () => {
    const first = await openLog();
    const before = recording(first);
    await before.apply(start, true);
    await first.close();

    const second = await openLog();
    const table = createTable();
    await second.load(table, never);
    second.begin(false, table.version);
    for (const { id } of later) second.line(encodeLine({ type: "REMOVE", id }));
    table.applyLocal([{ id: "key/agents/alice", row: null }], false);
    expect(await second.commit({ rows: table.rows, version: table.version })).toBe(true);
    await second.close();
    expect((await load()).version).toBe(table.version);
  });

  test("after a second whole table, of that one only", async () => {
    const lastGood = await openLog();
    const { table, apply } = recording(lastGood);
    await apply(start, true);
    const small = (await stat(file)).size;
    await apply(start.slice(0, 1), true);
    await lastGood.close();
    expect((await stat(file)).size).toBeLessThan(small);
    expect((await load()).version).toBe(table.version);
  });

  test("after a batch of buckets, with what it put and without what it left out, compacted or not", async () => {
    for (const filler of [0, 3000]) {
      const lastGood = await openLog();
      const { table, apply } = recording(lastGood);
      await apply(start, true);
      const bucket = bucketOf("key/agents/alice");
      lastGood.begin(false, table.version);
      table.begin(false);
      lastGood.clear([bucket]);
      table.clear(bucket);
      const wanted = createTable();
      wanted.applyLocal([...start, { id: "key/agents/alice", row: null }], true);
      expect(table.commit({ lines: 0, rows: wanted.rows, version: wanted.version })).toMatchObject({ ok: true });
      expect(await lastGood.commit({ rows: table.rows, version: table.version })).toBe(true);
      // Enough that it is written anew, without what was written over.
      for (let n = 0; n < filler; n += 1) await apply([{ id: "key/agents/bob", row: keyRow(`sk-${n}`) }]);
      await lastGood.close();
      const loaded = await load();
      expect(loaded).toMatchObject({ loaded: { ok: true }, version: table.version });
      expect(loaded.dump).toStrictEqual([...table.dump()]);
      expect((await stat(file)).size).toBeLessThan(500_000);
    }
  });

  test("without a batch that was dropped, whether it was to be the whole table or not", async () => {
    const lastGood = await openLog();
    const { table, apply } = recording(lastGood);
    await apply(start, true);
    for (const reset of [true, false]) {
      lastGood.begin(reset, table.version);
      // Enough to be written before the end is known.
      for (let n = 0; n < 3000; n += 1) lastGood.line(encodePut(`key/agents/${n}`, keyRow(`sk-${n}`)));
      lastGood.discard();
    }
    await apply(later);
    await lastGood.close();
    expect((await load()).version).toBe(table.version);
    expect(await readdir(folder)).toStrictEqual(["table.log"]);
  });

  test("when the whole table is larger than what is written at once", async () => {
    const lastGood = await openLog();
    const { table, apply } = recording(lastGood);
    const many = Array.from({ length: 4000 }, (_, n) => ({ id: `key/a/${n}`, row: keyRow(`sk-${n}`) }));
    await apply(many, true);
    await apply(later);
    await lastGood.close();
    expect((await stat(file)).size).toBeGreaterThan(1_000_000);
    expect((await load()).version).toBe(table.version);
  });
});

describe("the file", () => {
  test("is for its owner only", async () => {
    const lastGood = await openLog();
    await recording(lastGood).apply(start, true);
    await lastGood.close();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test.each([
    [0, 2],
    [0.9, 2.45],
  ])(
    "is compacted once it is larger than before, by chance (%d) %d times, and then holds the same table",
    async (random, times) => {
      const lastGood = await openLog(undefined, undefined, random);
      const { table, apply } = recording(lastGood);
      const labels = { padding: "x".repeat(2000) };
      await apply(
        // Ids that are written with an escape, and some that hold a quotation mark.
        Array.from({ length: 100 }, (_, n) => ({ id: `namespace/${n % 9 === 0 ? '"' : ""}${n}`, row: { labels } })),
        true,
      );
      const whole = (await stat(file)).size;
      const sizes: number[] = [];
      for (let n = 0; n < 400; n += 1) {
        await apply([
          {
            id: `namespace/${n % 9 === 0 ? '"' : ""}${n % 90}`,
            row: n % 7 === 0 ? null : { labels: { ...labels, n: `${n}` } },
          },
        ]);
        sizes.push((await stat(file)).size);
      }
      await lastGood.close();
      expect(Math.max(...sizes) / whole).toBeGreaterThan(times);
      expect(Math.max(...sizes) / whole).toBeLessThan(times + 0.1);
      expect(sizes.some((size, index) => size < (sizes[index - 1] ?? 0))).toBe(true);
      expect((await load()).version).toBe(table.version);
      expect(await readdir(folder)).toStrictEqual(["table.log"]);
    },
  );

  test("is compacted with its first batch when it was found large, since nobody knows how much of it counts", async () => {
    const first = await openLog(undefined, undefined, 0.99);
    const before = recording(first);
    const labels = { padding: "x".repeat(2000) };
    const rows = Array.from({ length: 150 }, (_, n) => ({ id: `namespace/${n}`, row: { labels } }));
    await before.apply(rows, true);
    const whole = (await stat(file)).size;
    for (const { id } of rows) await before.apply([{ id, row: { labels: { ...labels, n: "1" } } }]);
    await first.close();
    expect((await stat(file)).size).toBeGreaterThan(1.9 * whole);

    const second = await openLog(undefined, undefined, 0.99);
    const table = createTable();
    await second.load(table, never);
    second.begin(false, table.version);
    second.line(encodeLine({ type: "REMOVE", id: "namespace/1" }));
    table.applyLocal([{ id: "namespace/1", row: null }], false);
    expect(await second.commit({ rows: table.rows, version: table.version })).toBe(true);
    await second.close();
    expect((await stat(file)).size).toBeLessThan(1.1 * whole);
    expect((await load()).version).toBe(table.version);
  });

  test("is removed when a batch cannot be written, and comes back with the next whole table", async () => {
    const lastGood = await openLog();
    const { table, apply } = recording(lastGood);
    await apply(start, true);
    // A folder in the way of the new log.
    await mkdir(join(folder, "table.log.new", "x"), { recursive: true });
    expect(await apply(start, true)).toBe(true);
    expect((await readdir(folder)).sort()).toStrictEqual(["table.log.new"]);
    expect(errors).toStrictEqual(["last-good log failed and was removed until the next whole table"]);
    expect(await apply(later)).toBe(true);
    await rm(join(folder, "table.log.new"), { recursive: true, force: true });
    expect(await apply(start, true)).toBe(true);
    await lastGood.close();
    expect((await load()).version).toBe(table.version);
  });

  test("that can be neither written nor removed lets nothing be acknowledged", async () => {
    await mkdir(join(file, "x"), { recursive: true });
    const lastGood = await openLog();
    expect(await recording(lastGood).apply(start, true)).toBe(false);
    expect(errors).toStrictEqual(["last-good log failed and cannot be removed: nothing is acknowledged"]);
    await lastGood.close();
  });

  test("does not take a batch that builds on another table", async () => {
    const lastGood = await openLog();
    const { apply } = recording(lastGood);
    await apply(start, true);
    lastGood.begin(false, "0".repeat(64));
    expect(await lastGood.commit({ rows: 3, version: "1".repeat(64) })).toBe(true);
    await lastGood.close();
    expect((await load()).loaded).toStrictEqual({ ok: false, reason: "Missing" });
    expect(errors).toHaveLength(1);
  });
});

describe("what cannot be trusted is refused", () => {
  const reasonOf = async (text: string | Buffer, gateway?: string): Promise<unknown> => {
    await writeFile(file, text);
    const { loaded } = await load(gateway);
    return loaded.ok ? "loaded" : loaded.reason;
  };

  test("for its header", async () => {
    const lastGood = await openLog();
    await recording(lastGood).apply(start, true);
    await lastGood.close();
    const whole = await readFile(file, "utf8");
    const body = whole.slice(whole.indexOf("\n") + 1);
    expect(await reasonOf(whole, "other")).toBe("OtherGateway");
    expect(await reasonOf(encodeRecord("H", '{"format":2,"gateway":"default"}') + body)).toBe("NewerFormat");
    expect(await reasonOf(encodeRecord("H", '{"format":"1","gateway":"default"}') + body)).toBe("Corrupt");
    expect(await reasonOf(encodeRecord("H", "[") + body)).toBe("Corrupt");
    expect(await reasonOf(body)).toBe("Corrupt");
    expect(await reasonOf("")).toBe("Empty");
    expect(await reasonOf("\n")).toBe("Corrupt");
    expect(await reasonOf(whole)).toBe("loaded");
  });

  test("for rows that are not those of its commit", async () => {
    const lastGood = await openLog();
    await recording(lastGood).apply(start, true);
    await lastGood.close();
    const records = (await readFile(file, "utf8")).split("\n");
    expect(await reasonOf([...records.slice(0, 1), ...records.slice(2)].join("\n"))).toBe("Version");
    const swapped = encodeRecord("L", encodePut("key/agents/alice", keyRow("sk-mallory")));
    expect(await reasonOf(records.with(2, swapped.trimEnd()).join("\n"))).toBe("Version");
    expect(await reasonOf(records.with(records.length - 2, encodeRecord("C", '{"rows":3}').trimEnd()).join("\n"))).toBe(
      "Corrupt",
    );
  });

  test("a log that is not there is said to be missing", async () => {
    expect((await load()).loaded).toStrictEqual({ ok: false, reason: "Missing" });
  });

  test("an abort leaves the table alone", async () => {
    const lastGood = await openLog();
    await recording(lastGood).apply(start, true);
    const table = createTable();
    const loading = lastGood.load(table, AbortSignal.abort());
    table.begin(true);
    table.put("gateway", encodePut("gateway", { labels: {} }));
    expect(await loading).toStrictEqual({ ok: false, reason: "Superseded" });
    expect(table.commit({ lines: 1, rows: 1, version: "" })).toStrictEqual({ ok: false, reason: "Version" });
    await lastGood.close();
  });
});

describe("a log damaged anywhere", () => {
  const written = async (): Promise<{ bytes: Buffer; versions: readonly string[] }> => {
    const lastGood = await openLog();
    const { versions, apply } = recording(lastGood);
    await apply([{ id: "namespace/a", row: { labels: { é: "b" } } }], true);
    await apply([{ id: "namespace/b", row: { labels: {} } }]);
    await apply([{ id: "namespace/a", row: null }]);
    await lastGood.close();
    return { bytes: await readFile(file), versions };
  };

  test("by a cut after any byte, gives the last state that was committed before it", async () => {
    const { bytes, versions } = await written();
    const ends = [...bytes.toString("latin1").matchAll(/^[0-9a-f]{8} C .*\n/gm)].map(
      (hit) => hit.index + hit[0].length,
    );
    expect(ends).toHaveLength(3);
    for (let length = 0; length <= bytes.length; length += 1) {
      await writeFile(file, bytes.subarray(0, length));
      const { loaded, version } = await load();
      const whole = ends.filter((end) => end <= length).length;
      expect({ length, ok: loaded.ok, version }).toStrictEqual({ length, ok: whole > 0, version: versions[whole] });
      expect(loaded.ok && loaded.cut).toBe(loaded.ok && length !== ends[whole - 1]);
    }
  }, 90_000);

  test("by a flipped bit in any byte, gives none: what was taken away last may be what is damaged", async () => {
    const { bytes, versions } = await written();
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8((damaged[at] ?? 0) ^ (1 << (at % 8)), at);
      await writeFile(file, damaged);
      const { loaded, version } = await load();
      expect({ at, ok: loaded.ok, version }).toStrictEqual({ at, ok: false, version: versions[0] });
    }
  }, 90_000);
});
