// The head of a client's request. In: its octets as latin1. Out: what it says, or nothing when two readers might take it for two messages.
import type { IncomingHttpHeaders } from "node:http";
import { listNames, parseFields, parseLength } from "./fields.ts";

/** Fields of which the first one counts; of all others several are one list (RFC 9110 section 5.3). */
const SINGLE: ReadonlySet<string> = new Set(["host", "authorization", "content-type", "user-agent", "referer", "from"]);

/** Methods of RFC 9110, PATCH (RFC 5789); visible ASCII all along, no blank but the two, no version but these. */
const requestLine = /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH) ([!-~]+) HTTP\/1\.([01])$/;
/** Absolute and asterisk form (RFC 9112 section 3.2), besides origin form; authority form is for CONNECT alone. */
const target = /^(?:\*$|https?:\/\/[0-9A-Za-z.:[\]_-]+(?:[/?]|$))/;
/** The one coding; some readers do not know it with a tab behind it. */
const chunkedLine = /\r\ntransfer-encoding:[\t ]*chunked\r\n/i;
const authority = /^[0-9A-Za-z._-]+:[0-9]+$|^\[[0-9A-Fa-f:.]+\]:[0-9]+$/;

export class ReceivedHead {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** Of HTTP/1.1; else of HTTP/1.0. */
  readonly isLatest: boolean;
  /** Lower-case names and values in turn, in the order in which they came. */
  readonly fields: readonly string[];
  /** The same by name, as node:http has them: without a prototype. */
  readonly headers: IncomingHttpHeaders;
  readonly chunked: boolean;
  /** Octets of the body, unless it comes in chunks. */
  readonly length: number;

  constructor(
    method: string,
    target: string,
    isLatest: boolean,
    fields: readonly string[],
    headers: IncomingHttpHeaders,
    chunked: boolean,
    length: number,
  ) {
    this.method = method;
    this.target = target;
    this.isLatest = isLatest;
    this.fields = fields;
    this.headers = headers;
    this.chunked = chunked;
    this.length = length;
  }

  /** Whether the client takes another answer on the connection (RFC 9112 section 9.3). */
  get keepsAlive(): boolean {
    const { connection } = this.headers;
    if (connection === undefined) return this.isLatest;
    if (connection === "keep-alive") return true;
    return !listNames(connection, "close") && (this.isLatest || listNames(connection, "keep-alive"));
  }
}

/** @param head the request line and the fields, each with its CRLF, without the empty line */
export function readHead(head: string): ReceivedHead | undefined {
  const lineEnd = head.indexOf("\r\n");
  const line = requestLine.exec(head.slice(0, lineEnd));
  if (line === null) return undefined;
  const [, method = "", url = "", minor] = line;
  if (method === "CONNECT" ? !authority.test(url) : !url.startsWith("/") && !target.test(url)) return undefined;
  const fields = parseFields(head, lineEnd + 2);
  if (fields === undefined) return undefined;
  const headers = Object.create(null) as Record<string, string | undefined>;
  let [lengths, codings] = [0, 0];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? "";
    const value = fields[index + 1] ?? "";
    if (name === "content-length") lengths++;
    else if (name === "transfer-encoding") codings++;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (!SINGLE.has(name)) headers[name] = `${before}, ${value}`;
  }
  const isLatest = minor === "1";
  // Two of a kind, or both, are read one way here and another way elsewhere (RFC 9112 section 6.3).
  if (lengths + codings > 1) return undefined;
  if (codings > 0 && !(isLatest && chunkedLine.test(head))) return undefined;
  const length = lengths > 0 ? parseLength(headers["content-length"] ?? "") : 0;
  if (length === undefined) return undefined;
  return new ReceivedHead(method, url, isLatest, fields, headers, codings > 0, length);
}
