// The head of an answer. In: its status and fields. Out: the same, and what the fields say of body and connection.
import { parseLength } from "./fields.ts";

export class AnswerHead {
  readonly status: number;
  /** Lower-case names and values in turn, in the order in which they came. */
  readonly fields: readonly string[];
  /** Octets of the body; undefined when none is said, or what is said is no number. */
  readonly length: number | undefined;
  /** The body comes in chunks. */
  readonly chunked: boolean;
  /** The media type; the first one of several. */
  readonly contentType: string | undefined;
  /** All fields of that name, as one list. */
  readonly connection: string | undefined;
  readonly keepAlive: string | undefined;
  /** How many fields of a name there are: more than one may mean one thing here and another elsewhere. */
  readonly lengths: number;
  readonly codings: number;
  readonly contentTypes: number;

  constructor(status: number, fields: readonly string[]) {
    let length: number | undefined;
    let chunked = false;
    let contentType: string | undefined;
    let connection: string | undefined;
    let keepAlive: string | undefined;
    let [lengths, codings, contentTypes] = [0, 0, 0];
    for (let index = 0; index < fields.length; index += 2) {
      const value = fields[index + 1] ?? "";
      switch (fields[index]) {
        case "content-length":
          lengths++;
          length = parseLength(value);
          break;
        case "content-type":
          contentTypes++;
          contentType ??= value;
          break;
        case "connection":
          connection = connection === undefined ? value : `${connection},${value}`;
          break;
        case "transfer-encoding":
          codings++;
          chunked = value.toLowerCase() === "chunked";
          break;
        case "keep-alive":
          keepAlive = value;
          break;
        default:
      }
    }
    this.status = status;
    this.fields = fields;
    this.length = length;
    this.chunked = chunked;
    this.contentType = contentType;
    this.connection = connection;
    this.keepAlive = keepAlive;
    this.lengths = lengths;
    this.codings = codings;
    this.contentTypes = contentTypes;
  }

  /** The value of a field; the first one of several. */
  value(name: string): string | undefined {
    const { fields } = this;
    for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) return fields[index + 1];
    return undefined;
  }
}
