// Answers to a client as bytes. In: status, names and values, what becomes of body and connection. Out: the head's octets as latin1.
import { isFieldName, isFieldValue } from "./fields.ts";

// An `import` would read every export of node:http, and that of WebSocket loads a second undici: 14 MB.
const { STATUS_CODES } = process.getBuiltinModule("node:http");

/** What an answer's fields say of its body and its connection. */
export interface AnswerFraming {
  readonly hasLength: boolean;
  readonly closes: boolean;
}

/** @param fields names and values in turn */
export function framingOf(fields: readonly string[]): AnswerFraming {
  let hasLength = false;
  let closes = false;
  for (let index = 0; index < fields.length; index += 2) {
    const { length } = fields[index] ?? "";
    if (length === 14) hasLength ||= fields[index]?.toLowerCase() === "content-length";
    else if (length === 10) closes ||= isConnection(fields[index]) && fields[index + 1]?.toLowerCase() === "close";
  }
  return { hasLength, closes };
}

const isConnection = (name: string | undefined): boolean => name?.length === 10 && name.toLowerCase() === "connection";

/**
 * Writes a head, with the empty line after it.
 *
 * @param fields names and values in turn; Connection is left to `ending`
 * @param ending lines that say when it was written, how the body ends and what becomes of the connection
 * @throws TypeError when something in it could end a line or a head elsewhere: nothing of it may be sent then
 */
export function answerHead(status: number, fields: readonly string[], ending: string): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? "";
    const value = fields[index + 1] ?? "";
    if (!isFieldName(name) || !isFieldValue(value)) throw new TypeError(`header ${index / 2} of an answer is none`);
    if (!isConnection(name)) head += `${name}: ${value}\r\n`;
  }
  return `${head}${ending}\r\n`;
}

/** Gives the Date line of now (RFC 9110 section 6.6.1), made once a second. @param now milliseconds since the epoch */
export function createDateLine(now: () => number): () => string {
  let second = Number.NaN;
  let line = "";
  return () => {
    const at = Math.floor(now() / 1000);
    if (at !== second) {
      second = at;
      line = `Date: ${new Date(at * 1000).toUTCString()}\r\n`;
    }
    return line;
  };
}
