// What the lines of one stream mean. In: lines as text, in order. Out: what each led to; batches go into the table and the last-good log.
// Anything that cannot be is a fault: the batch is dropped, the table stays as it is, and what it lacks is to be asked for anew.
import type { Table } from "./compiled.ts";
import { decidesAccess, type Reach, type RowId } from "./contract.ts";
import type { LastGood } from "./last-good.ts";
import { handleLine, type Line, type LineHandlers } from "./line-handlers.ts";
import type { Compiled } from "./rows.ts";
import { seenRow, seenRows, type SeenRows } from "./seen-row.ts";
import type { Committed, TableWriter } from "./table.ts";

export type Fault =
  | "Malformed"
  | "FirstLineNotHello"
  | "SecondHello"
  | "OtherReplica"
  | "SequenceNotRising"
  | "BatchInsideBatch"
  | "HeartbeatInsideBatch"
  | "LineOutsideBatch"
  | "CommitOfOtherBatch"
  | "LineCount"
  | "RowCount"
  | "Version"
  | "Dropped"
  | "HeartbeatSequence"
  | "HeartbeatVersion";

/** Where the stream stands: everything up to (replica, sequence) is in the table, whose version is this. */
export interface Position {
  readonly replica: string;
  readonly sequence: number;
  readonly version: string;
}

export type Step =
  | { readonly step: "None" }
  | { readonly step: "Greeted"; readonly replica: string; readonly holder: string | undefined }
  /**
   * A batch was applied. `durable`: true once a restart cannot bring back what it took away. `seen`: what it changed of who may reach
   * what, and of a whole table or of whole buckets only that.
   */
  | {
      readonly step: "Applied";
      readonly at: Position;
      readonly durable: Promise<boolean>;
      readonly seen: SeenRows;
      /** Of a whole table, or of whole buckets, what was not in the table before and decides access. */
      readonly added: readonly RowId[];
      readonly reach: Reach | undefined;
    }
  /** A heartbeat that agrees with the table. */
  | {
      readonly step: "Current";
      readonly at: Position;
      readonly holder: string | undefined;
      readonly reach: Reach | undefined;
    }
  | { readonly step: "OtherGateway"; readonly gateway: string }
  | { readonly step: "Fault"; readonly fault: Fault };

export interface StreamReader {
  /**
   * Never throws nor rejects. After a Fault or OtherGateway no further line is to be given, nor before a step that is promised (of a
   * large batch) is there.
   */
  line(text: string): Step | Promise<Step>;
  /** The stream is over: drops a batch that it left open. */
  end(): void;
}

export interface StreamReaderDeps {
  readonly table: Table & TableWriter;
  readonly lastGood: LastGood | undefined;
  /** The name in HELLO must be this. */
  readonly gateway: string;
}

const NONE: Step = { step: "None" };

interface Open {
  readonly sequence: number;
  /** It puts what stands, too: a whole table, or whole buckets. */
  readonly isWhole: boolean;
  readonly seen: SeenRows;
  readonly added: RowId[];
}

/** Makes the reader of one stream, from HELLO to its end. */
export function createStreamReader({ table, lastGood, gateway }: StreamReaderDeps): StreamReader {
  let replica: string | undefined;
  /** Of the last batch of this stream, or of the first heartbeat. */
  let sequence: number | undefined;
  let batch: Open | undefined;

  const drop = (): void => {
    if (batch === undefined) return;
    batch = undefined;
    table.discard();
    lastGood?.discard();
  };

  const fault = (reason: Fault): Step => {
    drop();
    return { step: "Fault", fault: reason };
  };

  const hello = (line: Line<"HELLO">): Step => {
    if (replica !== undefined) return fault("SecondHello");
    if (line.gateway !== gateway) return { step: "OtherGateway", gateway: line.gateway };
    ({ replica } = line);
    return { step: "Greeted", replica, holder: line.holder };
  };

  const begin = (line: Line<"BATCH">): Step => {
    if (batch !== undefined) return fault("BatchInsideBatch");
    if (line.replica !== replica) return fault("OtherReplica");
    // It may rise by several: what a slow stream held back comes as one batch. That nothing was lost, the version tells.
    if (sequence !== undefined && line.sequence < sequence + (line.reset ? 0 : 1)) return fault("SequenceNotRising");
    batch = { sequence: line.sequence, isWhole: line.reset || line.buckets !== undefined, seen: seenRows(), added: [] };
    lastGood?.begin(line.reset, table.version);
    table.begin(line.reset);
    for (const bucket of line.buckets ?? []) table.clear(bucket);
    if (line.buckets !== undefined) lastGood?.clear(line.buckets);
    return NONE;
  };

  const change = (line: Line<"PUT"> | Line<"REMOVE">, text: string): Step => {
    if (batch === undefined) return fault("LineOutsideBatch");
    const compiled = line.type === "PUT" ? table.put(line.id, text, line.row) : undefined;
    if (line.type === "REMOVE") table.remove(line.id);
    lastGood?.line(text);
    if (decidesAccess(line.id)) note(batch, line.id, text, compiled);
    return NONE;
  };

  /** Of what is sent whole most is there already. */
  const note = (of: Open, id: RowId, text: string, compiled: Compiled | undefined): void => {
    if (of.isWhole && table.holds(id, undefined)) {
      if (table.rows > 0) of.added.push(id);
      return;
    }
    const row = seenRow(id, text, compiled);
    if (!of.isWhole || !table.holds(id, row.hash)) of.seen.set(id, row);
  };

  const commitSlowly = async (line: Line<"COMMIT">, conclude: (committed: Committed) => Step): Promise<Step> =>
    conclude(await table.commitInTurns(line));

  const commit = (line: Line<"COMMIT">): Step | Promise<Step> => {
    if (batch === undefined) return fault("LineOutsideBatch");
    if (line.replica !== replica || line.sequence !== batch.sequence) return fault("CommitOfOtherBatch");
    const { seen, added } = batch;
    const conclude = (committed: Committed): Step => {
      if (!committed.ok) return fault(committed.reason);
      ({ sequence } = line);
      batch = undefined;
      for (const id of committed.gone) if (decidesAccess(id)) seen.set(id, seenRow(id, "", undefined));
      const durable = lastGood?.commit(line) ?? Promise.resolve(true);
      return {
        step: "Applied",
        at: { replica: line.replica, sequence, version: line.version },
        durable,
        seen,
        added,
        reach: line.reach,
      };
    };
    return table.isLarge ? commitSlowly(line, conclude) : conclude(table.commit(line));
  };

  const heartbeat = (line: Line<"HEARTBEAT">): Step => {
    if (batch !== undefined) return fault("HeartbeatInsideBatch");
    if (line.replica !== replica) return fault("OtherReplica");
    if (sequence !== undefined && line.sequence !== sequence) return fault("HeartbeatSequence");
    // Whoever sends heartbeats has sent the table before.
    if (!table.complete || line.version !== table.version) return fault("HeartbeatVersion");
    ({ sequence } = line);
    return {
      step: "Current",
      at: { replica, sequence, version: line.version },
      holder: line.holder,
      reach: line.reach,
    };
  };

  const handlers: LineHandlers<Step | Promise<Step>> = { none: NONE, fault, hello, begin, change, commit, heartbeat };

  return {
    line: (text) => handleLine(text, replica !== undefined, handlers),
    end: drop,
  };
}
