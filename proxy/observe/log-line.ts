// The log line of a request. In: a finished record. Out: one line of JSON, whatever the client or the agent put into their fields.
import { failure } from "../request/failure.ts";
import type { FinishedRequest } from "./record.ts";
import { type Fields, agentFields, callFields, callerFields, endFields, remember } from "./remembered.ts";

/** What clients, agents and owners chose is cut at this many bytes of UTF-8. */
export const MAX_ID_BYTES = 128;
/** Names of objects, `{namespace}/{name}`, and origins of backends are bounded by their kind, a little higher. */
export const MAX_NAME_BYTES = 320;

/** What JSON.stringify leaves as it is though some reader of logs ends a line, or moves a cursor, at it: DEL, C1, U+2028, U+2029. */
const unescaped = /[\u007f-\u009f\u2028\u2029]/g;
const escapeOne = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
/** Text that needs no escape at all: nearly every value. */
const plain = /^[ !#-[\]-~]*$/;

/** A JSON string in ASCII-safe lines: controls, U+2028/9 and lone surrogates are escaped. */
export function jsonString(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  return JSON.stringify(text).replaceAll(unescaped, escapeOne);
}

/** The longest start of the text that takes at most `limit` bytes of UTF-8, cut between characters. */
export function cutAtBytes(text: string, limit: number): string {
  // Each UTF-16 unit takes one byte at least and three at most.
  if (text.length * 3 <= limit) return text;
  if (text.length <= limit && Buffer.byteLength(text) <= limit) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text.slice(0, limit)) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > limit) break;
    end += character.length;
  }
  return text.slice(0, end);
}

const id = (text: string): string => jsonString(cutAtBytes(text, MAX_ID_BYTES));
const name = (text: string): string => jsonString(cutAtBytes(text, MAX_NAME_BYTES));
const finite = (value: number): string => (Number.isFinite(value) ? String(value) : "null");
const integer = (value: number): string => finite(Math.trunc(value));

/** What follows the whole milliseconds, by microseconds: many times faster than a fraction written by the runtime. */
const FRACTIONS = Array.from({ length: 1000 }, (_, micros) =>
  micros === 0 ? "" : `.${String(micros).padStart(3, "0").replace(/0+$/, "")}`,
);

function milliseconds(value: number): string {
  const micros = Math.round(value * 1000);
  if (!(micros >= 0 && micros <= Number.MAX_SAFE_INTEGER)) return finite(micros / 1000);
  const whole = Math.floor(micros / 1000);
  return String(whole) + (FRACTIONS[micros - whole * 1000] ?? "");
}

/** `refused` and its like log at the level of their reason; a request that the agent answered is news, not a problem. */
function level(record: Pick<FinishedRequest, "reason">): string {
  return record.reason === undefined ? "info" : failure(record.reason).level;
}

/**
 * One line with its "\n". A field without a value is left out. Content was cut when it was captured (`logging.maxBytes`);
 * everything else that a client or an agent chose is cut at 128 bytes. With `logging.content: None` nothing that stood in a payload
 * is told: no ids, state, method or content, only who called which operation of which agent, and how it went.
 */
export function logLine(record: FinishedRequest): string {
  return lineOf(record, new Date(record.time).toISOString(), agent(record) + caller(record), call(record), end(record));
}

/** As `logLine`, for many lines: what most of them share is made once. */
export function createLogLines(): (record: FinishedRequest) => string {
  const timeOf = createTimes();
  const agentOf = remember(agentFields, (record) => inOnePiece(agent(record)));
  const callerOf = remember(callerFields, (record) => inOnePiece(caller(record)));
  const callOf = remember(callFields, (record) => inOnePiece(call(record)));
  const endOf = remember(endFields, (record) => inOnePiece(end(record)));
  return (record) =>
    lineOf(record, timeOf(record.time), agentOf(record) + callerOf(record), callOf(record), endOf(record));
}

/** Concatenation leaves a tree that each line would walk again. */
const inOnePiece = (text: string): string => Buffer.from(text).toString();

/** ISO 8601 as Date writes it, which is asked for one time a second. */
function createTimes(): (time: number) => string {
  let second = Number.NaN;
  let upToPoint = "";
  return (time) => {
    const now = Math.floor(time / 1000);
    if (now !== second) {
      upToPoint = new Date(now * 1000).toISOString().slice(0, -4);
      second = now;
    }
    return `${upToPoint}${String(Math.floor(time) - now * 1000).padStart(3, "0")}Z`;
  };
}

type Picked<T> = T extends Fields<infer F> ? Pick<FinishedRequest, F> : never;

const agent = (record: Picked<typeof agentFields>): string =>
  record.agent === undefined ? "" : `,"agent":${name(record.agent)}`;

function caller(record: Picked<typeof callerFields>): string {
  let text = "";
  if (record.key !== undefined) text += `,"key":${name(record.key)}`;
  if (record.fingerprint !== undefined) text += `,"fingerprint":${id(record.fingerprint)}`;
  if (record.user !== undefined) text += `,"user":${id(record.user)}`;
  if (record.team !== undefined) text += `,"team":${id(record.team)}`;
  return text;
}

function call(record: Picked<typeof callFields>): string {
  let text = "";
  if (record.operation !== undefined) text += `,"operation":${id(record.operation)}`;
  if (record.logging !== "None" && record.method !== undefined) text += `,"method":${id(record.method)}`;
  if (record.binding !== undefined) text += `,"binding":${id(record.binding)}`;
  if (record.version !== undefined) text += `,"version":${id(record.version)}`;
  if (record.streaming) text += `,"streaming":true`;
  return text;
}

function end(record: Picked<typeof endFields>): string {
  let text = `,"status":${integer(record.status)},"outcome":${id(record.outcome)}`;
  if (record.reason !== undefined) text += `,"reason":${id(record.reason)}`;
  if (record.keyFault !== undefined) text += `,"key_fault":${id(record.keyFault)}`;
  if (record.rpcCode !== undefined) text += `,"rpc_code":${integer(record.rpcCode)}`;
  if (record.endpoint !== undefined) text += `,"endpoint":${name(record.endpoint)}`;
  if (record.backend !== undefined) text += `,"backend":${name(record.backend)}`;
  return text;
}

/** Units are named by the agent's owner, figures were read as decimals. */
function usage(figures: ReadonlyMap<string, string>): string {
  return `{${[...figures].map(([unit, figure]) => `${id(unit)}:${figure}`).join(",")}}`;
}

function lineOf(record: FinishedRequest, time: string, who: string, call: string, end: string): string {
  const told = record.logging !== "None";
  const full = record.logging === "Full";
  let line = `{"time":"${time}","level":"${level(record)}","msg":"request"${who}${call}`;
  if (told && record.taskId !== undefined) line += `,"task_id":${id(record.taskId)}`;
  if (told && record.contextId !== undefined) line += `,"context_id":${id(record.contextId)}`;
  if (told && record.state !== undefined) line += `,"state":${id(record.state)}`;
  line += `${end},"latency_ms":${milliseconds(record.latency)}`;
  if (record.firstByte !== undefined) line += `,"first_byte_ms":${milliseconds(record.firstByte)}`;
  if (record.streaming) line += `,"events":${integer(record.events)}`;
  line += `,"request_bytes":${integer(record.requestBytes)},"response_bytes":${integer(record.responseBytes)}`;
  if (record.cost !== undefined) line += `,"cost":${id(record.cost)},"cost_source":"${record.costSource ?? ""}"`;
  if (record.usage !== undefined) line += `,"usage":${usage(record.usage)}`;
  line += `,"trace_id":${id(record.traceId)}`;
  if (full && record.requestContent !== undefined) line += `,"request":${jsonString(record.requestContent)}`;
  if (full && record.responseContent !== undefined) line += `,"response":${jsonString(record.responseContent)}`;
  return `${line}}\n`;
}
