// The head of a request to an agent. In: method, path, host, names and values. Out: its octets as latin1, or nothing if one is bad.
import { isFieldName, isFieldValue } from "./fields.ts";

/** Methods whose requests say that they have no body (RFC 9110 section 8.6). */
const EXPECTS_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
/** What says where a message ends and what becomes of its connection is said here alone. */
const OURS: ReadonlySet<string> = new Set(["host", "connection", "content-length", "transfer-encoding", "upgrade"]);
const notPath = /[^\x21-\x7e\x80-\xff]/;

export interface RequestHead {
  readonly method: string;
  /** With its query; as it stands in the request line. */
  readonly path: string;
  readonly host: string;
  /** Names and values in turn; none that says where the message ends or what becomes of its connection. */
  readonly fields: readonly string[];
  /** Octets of the body; undefined: it has none. */
  readonly length: number | undefined;
}

/**
 * Writes a head, with the empty line after it.
 *
 * @returns undefined when anything in it could end a line, a head or the message elsewhere, or is not latin1: nothing of it may be sent then
 */
export function requestHead({ method, path, host, fields, length }: RequestHead): string | undefined {
  if (!isFieldName(method) || !path.startsWith("/") || notPath.test(path) || host === "" || notPath.test(host)) {
    return undefined;
  }
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? "";
    const value = fields[index + 1] ?? "";
    if (!isFieldName(name) || !isFieldValue(value) || OURS.has(name.toLowerCase())) return undefined;
    head += `${name}: ${value}\r\n`;
  }
  if (length !== undefined) head += `content-length: ${length}\r\n`;
  else if (EXPECTS_BODY.has(method)) head += "content-length: 0\r\n";
  return `${head}\r\n`;
}
