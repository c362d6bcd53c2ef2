// What the lines of a standby stream mean. In: lines as text, in order. Out: the state that its operator announces, and the rows that
// decide access as they change there. Nothing of it goes into the table.
import { decidesAccess, type Reach } from "./contract.ts";
import { handleLine, type Line, type LineHandlers } from "./line-handlers.ts";
import { compile } from "./rows.ts";
import { seenRow, seenRows, type SeenRows } from "./seen-row.ts";
import { createSharedParts, type SharedParts } from "./shared-parts.ts";
import type { Fault, Position } from "./stream-reader.ts";

export type StandbyStep =
  | { readonly step: "None" }
  | { readonly step: "Greeted"; readonly replica: string; readonly holder: string | undefined }
  /** A heartbeat. */
  | {
      readonly step: "Announced";
      readonly at: Position;
      readonly holder: string | undefined;
      readonly reach: Reach | undefined;
    }
  /** A whole batch. */
  | {
      readonly step: "Seen";
      readonly at: Position;
      readonly seen: SeenRows;
      readonly reach: Reach | undefined;
    }
  | { readonly step: "OtherGateway"; readonly gateway: string }
  | { readonly step: "Fault"; readonly fault: Fault };

export interface StandbyReader {
  /** Never throws. After a Fault or OtherGateway no further line is to be given. */
  line(text: string): StandbyStep;
  end(): void;
}

const NONE: StandbyStep = { step: "None" };

/** Makes the reader of one stream, from HELLO to its end. `gateway`: the name in HELLO must be this. */
export function createStandbyReader({ gateway }: { readonly gateway: string }): StandbyReader {
  let replica: string | undefined;
  let sequence = -1;
  let batch:
    | { readonly sequence: number; lines: number; readonly seen: SeenRows; readonly shared: SharedParts }
    | undefined;

  const fault = (reason: Fault): StandbyStep => ({ step: "Fault", fault: reason });

  const hello = (line: Line<"HELLO">): StandbyStep => {
    if (replica !== undefined) return fault("SecondHello");
    if (line.gateway !== gateway) return { step: "OtherGateway", gateway: line.gateway };
    ({ replica } = line);
    return { step: "Greeted", replica, holder: line.holder };
  };

  const begin = (line: Line<"BATCH">): StandbyStep => {
    if (batch !== undefined) return fault("BatchInsideBatch");
    if (line.replica !== replica) return fault("OtherReplica");
    if (line.sequence <= sequence) return fault("SequenceNotRising");
    batch = { sequence: line.sequence, lines: 0, seen: seenRows(), shared: createSharedParts() };
    return NONE;
  };

  const change = (line: Line<"PUT"> | Line<"REMOVE">, text: string): StandbyStep => {
    if (batch === undefined) return fault("LineOutsideBatch");
    batch.lines += 1;
    if (!decidesAccess(line.id)) return NONE;
    const compiled = line.type === "PUT" ? compile(line.id, line.row, batch.shared) : undefined;
    batch.seen.set(line.id, seenRow(line.id, text, compiled));
    return NONE;
  };

  const commit = (line: Line<"COMMIT">): StandbyStep => {
    if (batch === undefined) return fault("LineOutsideBatch");
    if (line.replica !== replica || line.sequence !== batch.sequence) return fault("CommitOfOtherBatch");
    if (line.lines !== batch.lines) return fault("LineCount");
    const { seen } = batch;
    batch = undefined;
    ({ sequence } = line);
    return { step: "Seen", at: { replica: line.replica, sequence, version: line.version }, seen, reach: line.reach };
  };

  const heartbeat = (line: Line<"HEARTBEAT">): StandbyStep => {
    if (batch !== undefined) return fault("HeartbeatInsideBatch");
    if (line.replica !== replica) return fault("OtherReplica");
    // It may rise without a batch: what changed decides no access.
    if (line.sequence < sequence) return fault("HeartbeatSequence");
    ({ sequence } = line);
    const at = { replica: line.replica, sequence, version: line.version };
    return { step: "Announced", at, holder: line.holder, reach: line.reach };
  };

  const handlers: LineHandlers<StandbyStep> = { none: NONE, fault, hello, begin, change, commit, heartbeat };

  return {
    line: (text) => handleLine(text, replica !== undefined, handlers),
    end() {
      batch = undefined;
    },
  };
}
