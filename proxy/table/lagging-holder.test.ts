// A holder of the Lease whose watch is behind the other operator's. In: lines of both streams, as they come. Out: no key that the other one
// saw revoked is given back, however much of its history one batch holds; and it is given back as soon as the holder has seen as much.
import { describe, expect, test } from "vitest";
import { createFakeClock } from "./clock.test-support.ts";
import type { RowChange } from "./contract.ts";
import { createLinesOperator } from "./lines-operator.test-support.ts";
import { agentRow, keyRow, sha256Of } from "./rows.test-support.ts";
import { seenRows } from "./seen-row.ts";
import { createStandbyReader } from "./standby-reader.ts";
import { createStreamReader } from "./stream-reader.ts";
import { createTable } from "./table.ts";
import { createWithheld } from "./withheld.ts";

const id = "key/agents/alice";
const travel: RowChange = { id: "agent/agents/travel", row: agentRow() };
const key = (over: Parameters<typeof keyRow>[1], token = "sk-1"): RowChange => ({
  id,
  row: keyRow(token, { uid: "k1", ...over }),
});
const removed: RowChange = { id, row: null };
const made = key({ generation: 1 });

type Operator = ReturnType<typeof createLinesOperator>;

/** A proxy, and its streams to a holder and another operator. */
async function setUp(...before: readonly RowChange[]) {
  const [holder, other] = [createLinesOperator("a"), createLinesOperator("b")];
  for (const one of [holder, other]) one.take([travel, ...before]);
  const table = createTable();
  const withheld = createWithheld({ table, clock: createFakeClock() });
  const follow = async (operator: Operator, isWhole = !table.complete) => {
    const source = operator.hello;
    const reader = createStreamReader({ table, lastGood: undefined, gateway: "default" });
    const read = async (lines: readonly string[]): Promise<void> => {
      for (const line of lines) {
        const step = await reader.line(line);
        expect(step.step).not.toBe("Fault");
        if (step.step === "Applied") withheld.applied(source, step.seen, step.reach, step.added);
        else if (step.step === "Current") withheld.applied(source, seenRows(), step.reach);
      }
    };
    await read([operator.hello, ...operator.greeting(isWhole ? undefined : table.prefixes())]);
    return read;
  };
  const standBy = (operator: Operator) => {
    const reader = createStandbyReader({ gateway: "default" });
    const read = (lines: readonly string[]): void => {
      for (const line of lines) {
        const step = reader.line(line);
        expect(step.step).not.toBe("Fault");
        if (step.step === "Seen") withheld.seen(operator.hello, step.seen, step.reach);
        else if (step.step === "Announced") withheld.seen(operator.hello, seenRows(), step.reach);
      }
    };
    read([operator.hello, operator.heartbeat()]);
    return read;
  };
  /** Tokens that are let in. */
  const admitted = (): string[] => ["sk-1", "sk-2", "sk-3"].filter((token) => withheld.table.key(sha256Of(token)));
  return { holder, other, table, withheld, follow, standBy, admitted };
}

describe("two changes reach the other operator as one batch, and the holder one by one:", () => {
  const rotated = key({ generation: 1 }, "sk-2");
  const anew = key({ uid: "k2", generation: 1 });
  test.each<[string, readonly RowChange[], readonly string[]]>([
    ["an edit and the removal", [key({ generation: 2 }), removed], []],
    ["two rotations of its Secret", [rotated, key({ generation: 1 }, "sk-3")], ["sk-3"]],
    ["it is made anew and removed again", [removed, anew, removed], []],
    ["a rotation, and the first token again", [rotated, made], ["sk-1"]],
    ["its Secret goes and comes, and it is removed", [removed, made, removed], []],
  ])("%s", async (_name, changes, left) => {
    const { holder, other, follow, standBy, admitted, withheld } = await setUp(made);
    const [toHolder, toOther] = [await follow(holder), standBy(other)];
    expect(admitted()).toStrictEqual(["sk-1"]);
    toOther(other.take(changes));
    for (const change of changes) {
      for (const token of admitted()) expect(left).toContain(token);
      await toHolder(holder.take([change]));
    }
    expect([admitted(), withheld.rows]).toStrictEqual([left, 0]);
  });

  test("and it goes on from there while the other one stays behind", async () => {
    const { holder, other, follow, standBy, admitted, withheld } = await setUp(made);
    const [toHolder, toOther] = [await follow(holder), standBy(other)];
    toOther(other.take([key({ generation: 2 }), removed]));
    await toHolder(holder.take([key({ generation: 2 }), removed, made]));
    expect([admitted(), withheld.rows]).toStrictEqual([["sk-1"], 0]);
  });

  test("a stream that does not say how far it is counts once it does", async () => {
    const { holder, other, follow, standBy, admitted } = await setUp(made);
    const [toHolder, toOther] = [await follow(holder), standBy(other)];
    toOther(other.take([key({ generation: 2 }), removed], true));
    await toHolder(holder.take([key({ generation: 2 })]));
    toOther([other.heartbeat()]);
    expect(admitted()).toStrictEqual([]);
    await toHolder(holder.take([removed, made], true));
    expect(admitted()).toStrictEqual([]);
    await toHolder([holder.heartbeat()]);
    expect(admitted()).toStrictEqual(["sk-1"]);
  });
});

describe("a removal comes with a whole table, or whole buckets, and then the operator takes over that is behind:", () => {
  test.each([false, true])("a whole table: %s", async (isWhole) => {
    const { holder, other, table, withheld, follow, admitted } = await setUp(made);
    await follow(holder);
    other.take([key({ generation: 2 }), removed]);
    await follow(other, isWhole);
    expect([admitted(), table.rows]).toStrictEqual([[], 1]);
    const toHolder = await follow(holder);
    expect([table.rows, admitted()]).toStrictEqual([2, []]);
    await toHolder(holder.take([key({ generation: 2 })]));
    expect(admitted()).toStrictEqual([]);
    await toHolder(holder.take([removed, made]));
    expect([admitted(), withheld.rows]).toStrictEqual([["sk-1"], 0]);
  });

  test("of a key that this proxy has never had", async () => {
    const { holder, other, withheld, follow, admitted } = await setUp(made);
    other.take([removed]);
    await follow(other);
    const toHolder = await follow(holder);
    expect(admitted()).toStrictEqual([]);
    await toHolder(holder.take([removed]));
    await toHolder(holder.take([made]));
    expect([admitted(), withheld.rows]).toStrictEqual([["sk-1"], 0]);
  });
});
