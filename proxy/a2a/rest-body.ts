// Bodies of the HTTP+JSON binding. In: the bytes as they arrive, and what path and query said. Out: the ids of all three, or
// why the body is refused. An id that stands in several places must be the same in all: servers differ in which they read.
import type { FailureReason } from "../request/failure.ts";
import { compileShape, FACT } from "./json-shape.ts";
import { createJsonScan } from "./json-scan.ts";
import type { JsonScan } from "./json-scan.ts";
import { FREE_SLOT, idPositions, readIds, SLOT, stated, unambiguous } from "./request-ids.ts";
import type { Ids } from "./request-ids.ts";
import { namesTask } from "./rest-path.ts";
import type { RestRequest } from "./rest.ts";

export type RestBodyResult =
  | { readonly ok: true; readonly ids: Ids }
  | { readonly ok: false; readonly reason: FailureReason };

export interface RestBodyReader {
  push(chunk: Uint8Array): void;
  end(): RestBodyResult;
}

const ROOT = 0;
const NAME = FREE_SLOT;
const PARENT = FREE_SLOT + 1;
const CONFIG = FREE_SLOT + 2;
const CONFIG_NAME = FREE_SLOT + 3;

/** 0.3 names tasks by resource name in `name`, `parent` and `config.name`, and takes `request` for `message`. */
const SHAPE = compileShape([
  ...idPositions(["message", "request"]),
  { slot: NAME, names: ["name"], keep: "text" },
  { slot: PARENT, names: ["parent"], keep: "text" },
  { slot: CONFIG, names: ["config"], members: [{ slot: CONFIG_NAME, names: ["name"], keep: "text" }] },
]);

/** Reads the body of a request; an optional body may be empty or `null`. */
export function createRestBodyReader(request: RestRequest): RestBodyReader {
  return new Reader(request);
}

class Reader implements RestBodyReader {
  readonly #request: RestRequest;
  readonly #scan = createJsonScan(SHAPE);
  #bytes = 0;

  constructor(request: RestRequest) {
    this.#request = request;
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    this.#scan.push(chunk);
  }

  end(): RestBodyResult {
    const request = this.#request;
    const scan = this.#scan;
    if (this.#bytes === 0 && request.body !== "required") return { ok: true, ids: idsOf(request) };
    if (request.body === "none") return { ok: false, reason: "InvalidRequest" };
    const fault = scan.end();
    if (fault === "Encoding") return { ok: false, reason: "UnsupportedMediaType" };
    if (fault === "Grammar") return { ok: false, reason: "ParseError" };
    if (scan.facts(ROOT) === FACT.null && request.body === "optional") return { ok: true, ids: idsOf(request) };
    if (scan.facts(ROOT) !== FACT.object) return { ok: false, reason: "InvalidRequest" };
    const ids = merge(request, scan);
    return ids === undefined ? { ok: false, reason: "InvalidParams" } : { ok: true, ids };
  }
}

function merge(request: RestRequest, scan: JsonScan): Ids | undefined {
  const { operation } = request;
  const ids = idsOf(request);
  if (operation.name === "SendMessage" || operation.name === "SendStreamingMessage") {
    const body = readIds(scan, operation.name, operation.version);
    if (body === undefined || differ(ids.tenant, body.tenant)) return undefined;
    return {
      taskId: body.taskId ?? ids.taskId,
      contextId: body.contextId ?? ids.contextId,
      referenceTaskIds: body.referenceTaskIds,
      tenant: body.tenant ?? ids.tenant,
    };
  }
  // Everything else that has a body names its task in the path.
  const tenant = stated(scan, [SLOT.tenant]);
  const taskId = stated(scan, [SLOT.taskId]);
  // In a push configuration `id` is its own.
  const isConfig = operation.name === "CreateTaskPushNotificationConfig";
  const id = isConfig ? taskId : stated(scan, [SLOT.id]);
  if (!tenant.ok || !taskId.ok || !id.ok) return undefined;
  if (differ(ids.taskId, taskId.value) || differ(ids.taskId, id.value) || differ(ids.tenant, tenant.value)) {
    return undefined;
  }
  // Resource names are of 0.3; who reads them does so under its prefix.
  const isLegacy = operation.version === "0.3" || request.path.startsWith("/v1/");
  if (isLegacy && !namesAgree(scan, ids.taskId)) return undefined;
  return tenant.value === undefined ? ids : { ...ids, tenant: tenant.value };
}

function namesAgree(scan: JsonScan, taskId: string | undefined): boolean {
  if (!unambiguous(scan, [CONFIG])) return false;
  for (const slot of [NAME, PARENT, CONFIG_NAME]) {
    const name = stated(scan, [slot]);
    if (!name.ok || (name.value !== undefined && !namesTask(name.value, taskId))) return false;
  }
  return true;
}

const differ = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && a !== b;

const idsOf = ({ taskId, contextId, tenant }: RestRequest): Ids => ({
  taskId,
  contextId,
  referenceTaskIds: undefined,
  tenant,
});
