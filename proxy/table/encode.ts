// Lines of the stream as text. In: rows and stream lines. Out: canonical JSON, its hash, and lines read back.
import { hash } from "node:crypto";
import { BUCKETS, type Reach, type Row, type RowId, type StreamLine } from "./contract.ts";
import { isObject } from "./shape.ts";

/** The PUT line of a row: canonical JSON without a newline. Equal rows give equal bytes, whatever the order of their members. */
export function encodePut(id: RowId, row: Row): string {
  return canonical({ id, row, type: "PUT" });
}

/** Any other line of the stream: canonical JSON without a newline. */
export function encodeLine(line: Exclude<StreamLine, { readonly type: "PUT" }>): string {
  return canonical(line);
}

/**
 * What the version is made of: SHA-256 over the row's id, a newline and its PUT line. 32 bytes, as a string of one character each: that is
 * half the cost of a buffer, and leaves no memory behind outside of the heap.
 */
export function rowHash(id: RowId, line: string): string {
  return hash("sha256", `${id}\n${line}`, "latin1");
}

/** Members sorted by UTF-16 code units (RFC 8785, section 3.2.3) at every depth, no white space, undefined members left out. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members: string[] = [];
  for (const [name, member] of Object.entries(value).sort(byName)) {
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${canonical(member)}`);
  }
  if (members.length === 0) return "{}";
  // Braces are joined too: around what was joined they would stay pieces, and a line is kept as long as its row.
  members[0] = `{${members[0]}`;
  members.push(`${members.pop()}}`);
  return members.join(",");
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : Number(a > b);

/**
 * Reads one line. Undefined when it is not JSON, is of an unknown type, or lacks a member or has one of another shape. Never throws.
 * The row of a PUT is any object: parse-row.ts judges it.
 */
export function decodeLine(text: string): StreamLine | undefined {
  const line = parseObject(text);
  if (line === undefined) return undefined;
  const { type, id, gateway, replica, holder, sequence, reset, buckets, lines, rows, version, reach } = line;
  switch (type) {
    case "PUT":
      // Checked to be an object; which row it is, if any, is for parse-row.ts to say.
      return isId(id) && isObject(line["row"]) ? { id, row: line["row"] as unknown as Row, type } : undefined;
    case "REMOVE":
      return isId(id) ? { id, type } : undefined;
    case "BATCH":
      return isText(replica) && isCount(sequence) && typeof reset === "boolean" && isOptionalBuckets(buckets)
        ? { type, replica, sequence, reset, ...(buckets === undefined ? {} : { buckets }) }
        : undefined;
    case "COMMIT":
      return isText(replica) &&
        isCount(sequence) &&
        isCount(lines) &&
        isCount(rows) &&
        isVersion(version) &&
        isOptionalReach(reach)
        ? { type, replica, sequence, lines, rows, version, ...(reach === undefined ? {} : { reach }) }
        : undefined;
    case "HEARTBEAT":
      return isText(replica) &&
        isCount(sequence) &&
        isVersion(version) &&
        isOptionalText(holder) &&
        isOptionalReach(reach)
        ? {
            type,
            replica,
            sequence,
            version,
            ...(holder === undefined ? {} : { holder }),
            ...(reach === undefined ? {} : { reach }),
          }
        : undefined;
    case "HELLO":
      return isText(gateway) && isText(replica) && isOptionalText(holder)
        ? { type, gateway, replica, ...(holder === undefined ? {} : { holder }) }
        : undefined;
    default:
      return undefined;
  }
}

const LINE_TYPES: ReadonlySet<unknown> = new Set<StreamLine["type"]>([
  "HELLO",
  "BATCH",
  "PUT",
  "REMOVE",
  "COMMIT",
  "HEARTBEAT",
]);

/** Whether this is a whole line of a type that this release does not know, which a later one may send: it is to be ignored. */
export function isUnknownLine(text: string): boolean {
  const type = parseObject(text)?.["type"];
  return typeof type === "string" && !LINE_TYPES.has(type);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === "string";
const isOptionalText = (value: unknown): value is string | undefined => value === undefined || isText(value);
const isOptionalBuckets = (value: unknown): value is readonly number[] | undefined =>
  value === undefined || (Array.isArray(value) && value.every((bucket) => isCount(bucket) && bucket < BUCKETS));
const isOptionalReach = (value: unknown): value is Reach | undefined =>
  value === undefined || (isObject(value) && Object.values(value).every(isCount));
const isId = (value: unknown): value is RowId => isText(value) && value.length > 0 && value.length <= 1024;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isVersion = (value: unknown): value is string => isText(value) && /^[0-9a-f]{64}$/.test(value);
