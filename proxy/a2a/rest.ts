// The HTTP+JSON binding of 1.0 and of 0.3 (A2A 1.0 section 11, 0.3.0 section 3.5.3). In: method, raw path and query, version.
// Out: operation, ids and the path to send on, built anew; or why it is refused. Only operations of the table are served.
import type { FailureReason } from "../request/failure.ts";
import { operationOfName } from "./operation.ts";
import type { Operation } from "./operation.ts";
import type { Ids } from "./request-ids.ts";
import { buildRestPath, namesTask, parseRestPath } from "./rest-path.ts";
import type { RestPath, Suffix } from "./rest-path.ts";
import { parseRestQuery } from "./rest-query.ts";

export interface RestRequest extends Ids {
  readonly operation: Operation;
  /** Built, to append to the interface's path; starts with "/". */
  readonly path: string;
  /** Built, without "?"; empty if there is none. */
  readonly query: string;
  readonly body: "required" | "none" | "optional";
  /** The version that the query states: to be sent as the `A2A-Version` header where the client sent no such header. */
  readonly queryVersion?: string;
  /** The push configuration that the path names. */
  readonly configId?: string;
}

export type RestResult =
  | { readonly ok: true; readonly request: RestRequest }
  /** `allow`: the methods that the path has, where it is the method that is wrong. */
  | { readonly ok: false; readonly reason: FailureReason; readonly allow?: string };

type Served = Readonly<Record<string, { readonly operation: string; readonly body: RestRequest["body"] }>>;

/** Both GET and POST subscribe: the specification's text and its protobuf differ. */
const OPERATIONS: Readonly<Record<Suffix, Served>> = {
  "message:send": { POST: { operation: "SendMessage", body: "required" } },
  "message:stream": { POST: { operation: "SendStreamingMessage", body: "required" } },
  tasks: { GET: { operation: "ListTasks", body: "none" } },
  task: { GET: { operation: "GetTask", body: "none" } },
  "task:cancel": { POST: { operation: "CancelTask", body: "optional" } },
  "task:subscribe": {
    GET: { operation: "SubscribeToTask", body: "none" },
    POST: { operation: "SubscribeToTask", body: "optional" },
  },
  configs: {
    GET: { operation: "ListTaskPushNotificationConfigs", body: "none" },
    POST: { operation: "CreateTaskPushNotificationConfig", body: "required" },
  },
  config: {
    GET: { operation: "GetTaskPushNotificationConfig", body: "none" },
    DELETE: { operation: "DeleteTaskPushNotificationConfig", body: "none" },
  },
  extendedAgentCard: { GET: { operation: "GetExtendedAgentCard", body: "none" } },
  card: { GET: { operation: "GetExtendedAgentCard", body: "none" } },
};

/**
 * Reads a request of the binding. `path` is raw, after the agent's base; `query` raw, without "?"; `version` the
 * `A2A-Version` header. `/v1/…` is 0.3 unless the version says otherwise; then `v1` is a tenant like any other.
 */
export function parseRestRequest(
  httpMethod: string,
  path: string,
  query: string,
  version: string | undefined,
): RestResult {
  const parsed = parseRestPath(path);
  if (!parsed.ok) return parsed;
  const { suffix, prefix, taskId, configId } = parsed.path;
  if (prefix?.toLowerCase() === "v1" && prefix !== "v1") return refuse("InvalidPath");
  if (suffix === "card" && prefix !== "v1") return refuse("PathNotFound");
  const methods = OPERATIONS[suffix];
  const served = Object.hasOwn(methods, httpMethod) ? methods[httpMethod] : undefined;
  if (served === undefined) return { ok: false, reason: "MethodNotAllowed", allow: Object.keys(methods).join(", ") };

  const parameters = parseRestQuery(query);
  if (parameters === undefined) return refuse("InvalidPath");
  const { known } = parameters;
  const queryVersion = known.get("version");
  if (version !== undefined && queryVersion !== undefined && version !== queryVersion) return refuse("InvalidPath");

  const isLegacy = prefix === "v1" && isLegacyVersion(version ?? queryVersion);
  const tenant = agree(isLegacy ? undefined : prefix, known.get("tenant"));
  if (tenant === null || !queryAgrees(known, parsed.path)) return refuse("InvalidPath");
  const contextId = suffix === "tasks" ? known.get("contextId") : undefined;
  return {
    ok: true,
    request: {
      operation: operationOfName(served.operation, isLegacy || suffix === "card" ? "0.3" : "1.0"),
      path: buildRestPath(parsed.path),
      query: parameters.query,
      body: served.body,
      ...(taskId === undefined ? {} : { taskId }),
      ...(contextId === undefined ? {} : { contextId }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(configId === undefined ? {} : { configId }),
      ...(queryVersion === undefined ? {} : { queryVersion }),
    },
  };
}

const differ = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && a !== b;

const refuse = (reason: FailureReason): RestResult => ({ ok: false, reason });

/** No version is 0.3, as everywhere. */
const isLegacyVersion = (version: string | undefined): boolean =>
  version === undefined || version === "" || version.startsWith("0.");

/** The one value of two statements; null when they differ. */
function agree(a: string | undefined, b: string | undefined): string | undefined | null {
  if (a === undefined || b === undefined) return a ?? b;
  return a === b ? a : null;
}

/** Ids that a query states beside the path must be the path's: some servers read the one, some the other. */
function queryAgrees(known: ReadonlyMap<string, string>, path: RestPath): boolean {
  const { taskId, configId } = path;
  if (taskId === undefined) return !known.has("taskId") && !known.has("name") && !known.has("parent");
  for (const parameter of ["name", "parent"]) {
    const name = known.get(parameter);
    if (name !== undefined && !namesTask(name, taskId)) return false;
  }
  return !differ(known.get("id"), configId ?? taskId) && !differ(known.get("taskId"), taskId);
}
