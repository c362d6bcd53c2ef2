// The envelope of a JSON-RPC request. In: the body's bytes as they arrive. Out: method, raw id and task ids once all of it was
// judged, or why it is refused. What decoders could read in two ways is refused (JSON-RPC 2.0; A2A 1.0 section 9).
import type { FailureReason } from "../request/failure.ts";
import { compileShape, FACT } from "./json-shape.ts";
import { createJsonScan } from "./json-scan.ts";
import type { JsonScan } from "./json-scan.ts";
import { METHOD_NAMES, operationOfMethod } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { FREE_SLOT, idPositions, readIds } from "./request-ids.ts";
import type { Ids } from "./request-ids.ts";

export interface Envelope extends Ids {
  /** The raw JSON token of the id; undefined when there was none. */
  readonly id: string | undefined;
  readonly method: string;
  readonly operation: Operation;
}

export type EnvelopeResult =
  | { readonly ok: true; readonly envelope: Envelope }
  /** `id`: the raw token, if it was read and can be sent back. */
  | { readonly ok: false; readonly reason: FailureReason; readonly id: string | undefined };

export interface EnvelopeReader {
  push(chunk: Uint8Array): void;
  end(): EnvelopeResult;
}

const ROOT = 0;
const JSONRPC = FREE_SLOT;
const ID = FREE_SLOT + 1;
const METHOD = FREE_SLOT + 2;
const PARAMS = FREE_SLOT + 3;

const SHAPE = compileShape([
  { slot: JSONRPC, names: ["jsonrpc"], keep: "text", values: ["2.0"] },
  { slot: ID, names: ["id"], keep: "raw" },
  { slot: METHOD, names: ["method"], keep: "text", values: METHOD_NAMES },
  { slot: PARAMS, names: ["params"], members: idPositions(["message"]) },
]);

/** Reads one JSON-RPC request; any size passes, memory is bounded by the ids. `params` may be absent or null. */
export function createEnvelopeReader(): EnvelopeReader {
  return new Reader();
}

class Reader implements EnvelopeReader {
  readonly #scan = createJsonScan(SHAPE);

  push(chunk: Uint8Array): void {
    this.#scan.push(chunk);
  }

  end(): EnvelopeResult {
    const fault = this.#scan.end();
    if (fault !== undefined) return refuse(fault === "Encoding" ? "UnsupportedMediaType" : "ParseError", undefined);
    return judge(this.#scan);
  }
}

function judge(scan: JsonScan): EnvelopeResult {
  if (scan.facts(ROOT) !== FACT.object) return refuse("InvalidRequest", undefined);
  const usable = idIsUsable(scan);
  const id = !usable ? undefined : scan.facts(ID) === FACT.null ? "null" : scan.text(ID);
  const method = scan.facts(METHOD) === FACT.string ? scan.text(METHOD) : undefined;
  const params = scan.facts(PARAMS);
  const isRequest =
    usable &&
    scan.facts(JSONRPC) === FACT.string &&
    scan.text(JSONRPC) === "2.0" &&
    (params === 0 || params === FACT.object || params === FACT.null);
  if (!isRequest || method === undefined || method === "") return refuse("InvalidRequest", id);
  const operation = operationOfMethod(method);
  const ids = readIds(scan, operation.name, operation.version);
  if (ids === undefined) return refuse("InvalidParams", id);
  const { taskId, contextId, referenceTaskIds, tenant } = ids;
  return { ok: true, envelope: { id, method, operation, taskId, contextId, referenceTaskIds, tenant } };
}

const refuse = (reason: FailureReason, id: string | undefined): EnvelopeResult => ({ ok: false, reason, id });

/** Absent, null, a string or a whole number, once. */
function idIsUsable(scan: JsonScan): boolean {
  const facts = scan.facts(ID);
  if (facts === FACT.number) return /^-?\d+$/.test(scan.text(ID) ?? "");
  return facts === 0 || facts === FACT.string || facts === FACT.null;
}
