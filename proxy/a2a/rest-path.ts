// Paths of the HTTP+JSON binding. In: a raw path under the agent. Out: what it names, or that it is ambiguous.
// Servers differ: some route on the raw path, some on the decoded one, some ignore case. So a path is taken only if all of
// them read the same in it.

export type Suffix =
  | "message:send"
  | "message:stream"
  | "tasks"
  | "task"
  | "task:cancel"
  | "task:subscribe"
  | "configs"
  | "config"
  | "extendedAgentCard"
  | "card";

export interface RestPath {
  readonly suffix: Suffix;
  /** Segments before the suffix: none, the tenant, or the `v1` of 0.3. */
  readonly prefix: string | undefined;
  readonly taskId: string | undefined;
  readonly configId: string | undefined;
}

export type RestPathResult =
  | { readonly ok: true; readonly path: RestPath }
  | { readonly ok: false; readonly reason: "PathNotFound" | "InvalidPath" };

/** RFC 3986 pchar and "/", with whole percent escapes. */
const RAW_PATH = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;
const CONFIGS = "pushNotificationConfigs";

/** Reads a raw path that starts with "/". */
export function parseRestPath(raw: string): RestPathResult {
  if (!raw.startsWith("/") || !RAW_PATH.test(raw)) return { ok: false, reason: "InvalidPath" };
  const decoded = decode(raw);
  if (decoded === undefined) return { ok: false, reason: "InvalidPath" };
  const pieces = raw.slice(1).split("/");
  const segments = pieces.map((piece) => decode(piece) ?? "");
  if (!segments.every(isPlain)) return { ok: false, reason: "InvalidPath" };
  const path = match(pieces, segments);
  if (decoded !== raw) {
    const again = decoded.slice(1).split("/");
    if (!again.every(isPlain) || !same(path, match(again, again))) return { ok: false, reason: "InvalidPath" };
  }
  return path === undefined ? { ok: false, reason: notFound(segments) } : { ok: true, path };
}

/** Percent-decoded once; undefined if the bytes are not UTF-8. */
function decode(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** No segment that path normalisers take away, none with characters that some of them treat as separators or ends. */
function isPlain(segment: string): boolean {
  if (segment === "" || segment === "." || segment === ".." || segment.includes("\\")) return false;
  for (let i = 0; i < segment.length; i++) {
    const code = segment.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}

const same = (a: RestPath | undefined, b: RestPath | undefined): boolean =>
  a?.suffix === b?.suffix && a?.prefix === b?.prefix && a?.taskId === b?.taskId && a?.configId === b?.configId;

/** `raw` decides where the verb is cut off; `decoded` gives the values. */
function match(raw: readonly string[], decoded: readonly string[]): RestPath | undefined {
  const at = (fromEnd: number): string | undefined => raw[raw.length - fromEnd];
  const path = (suffix: Suffix, length: number, taskId?: string, configId?: string): RestPath | undefined => {
    const before = raw.length - length;
    const prefix = before === 1 ? decoded[0] : undefined;
    const values = [prefix, taskId, configId];
    return before > 1 || values.some(isReserved) ? undefined : { suffix, prefix, taskId, configId };
  };
  const value = (fromEnd: number): string => decoded[decoded.length - fromEnd] ?? "";
  const last = at(1) ?? "";
  if (at(2) === CONFIGS && at(4) === "tasks") return path("config", 4, value(3), value(1));
  if (last === CONFIGS && at(3) === "tasks") return path("configs", 3, value(2));
  if (at(2) === "tasks") {
    const verb = /:(cancel|subscribe)$/i.exec(last)?.[1];
    if (verb === undefined) return path("task", 2, value(1));
    const id = value(1).slice(0, -verb.length - 1);
    return id !== "" && (verb === "cancel" || verb === "subscribe") ? path(`task:${verb}`, 2, id) : undefined;
  }
  return isAlone(last) ? path(last, 1) : undefined;
}

const ALONE = ["message:send", "message:stream", "tasks", "extendedAgentCard", "card"] as const;
const isAlone = (segment: string): segment is (typeof ALONE)[number] => (ALONE as readonly string[]).includes(segment);

const WORDS: readonly string[] = [...ALONE, CONFIGS];

/** Words of the paths themselves: as a tenant or an id they could be read in two ways. */
const RESERVED = new Set(WORDS.filter((word) => word !== "card").map((word) => word.toLowerCase()));
const isReserved = (segment: string | undefined): boolean =>
  segment !== undefined && RESERVED.has(segment.toLowerCase());

/** A path that a router which ignores case would take as one of ours is ambiguous; any other is unknown. */
function notFound(segments: readonly string[]): "PathNotFound" | "InvalidPath" {
  const exact = segments.map((segment) => {
    const lower = segment.toLowerCase();
    return (
      WORDS.find((word) => word.toLowerCase() === lower) ??
      segment.replace(/:(cancel|subscribe)$/i, (verb) => verb.toLowerCase())
    );
  });
  return match(exact, exact) === undefined ? "PathNotFound" : "InvalidPath";
}

/** Whether a 0.3 resource name (`tasks/{id}` and below) names this task, and nothing else could be read of it. */
export function namesTask(name: string, taskId: string | undefined): boolean {
  const [collection, id, configs, config, ...more] = name.split("/");
  if (collection !== "tasks" || id === undefined || id === "" || id !== taskId || more.length > 0) return false;
  return configs === undefined || (configs === "pushNotificationConfigs" && config !== "");
}

/** The path in the one form that is sent on: every value percent-encoded in one way. */
export function buildRestPath(path: RestPath): string {
  const before = path.prefix === undefined ? "" : `/${encodeURIComponent(path.prefix)}`;
  const task = encodeURIComponent(path.taskId ?? "");
  const config = encodeURIComponent(path.configId ?? "");
  switch (path.suffix) {
    case "task":
      return `${before}/tasks/${task}`;
    case "task:cancel":
      return `${before}/tasks/${task}:cancel`;
    case "task:subscribe":
      return `${before}/tasks/${task}:subscribe`;
    case "configs":
      return `${before}/tasks/${task}/pushNotificationConfigs`;
    case "config":
      return `${before}/tasks/${task}/pushNotificationConfigs/${config}`;
    default:
      return `${before}/${path.suffix}`;
  }
}
