// The events of a stream (WHATWG HTML, server-sent events). In: bytes as they are relayed, cut anywhere.
// Out: what each event says of its task, and where the stream stands. The bytes themselves are left alone.
import type { Binding } from "../table/contract.ts";
import { createEventScan, read } from "./answer.ts";
import type { Seen } from "./answer.ts";
import type { Operation } from "./operation.ts";

/** Data of one event beyond this is not read; the event still counts. Clients stop at 4 MiB too. */
export const MAX_EVENT_BYTES = 4 * 1024 * 1024;

/** No accessors: each literal that has one keeps all that it closes over alive until the next full collection. */
export interface EventReader {
  push(chunk: Uint8Array): void;
  /** Events with data that have ended. */
  events(): number;
  /** Something of our own may be put in here: no event has been begun. */
  betweenEvents(): boolean;
  /** A terminal state, `final: true`, a message or an error was seen: the stream may end. */
  terminal(): boolean;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const NEWLINE = Buffer.from("\n");
const BOM = [0xef, 0xbb, 0xbf];
const DATA = [0x64, 0x61, 0x74, 0x61];

/** How far a line is known. */
const FIELD = 0;
const VALUE_START = 1;
const VALUE = 2;
const IGNORED = 3;
const COMMENT = 4;

/** Calls `onEvent` for every event whose data is a JSON text, when its blank line has come. */
export function createEventReader(binding: Binding, operation: Operation, onEvent: (seen: Seen) => void): EventReader {
  const scan = createEventScan(binding);
  let events = 0;
  let terminal = false;
  let bomAt = 0;
  let line = FIELD;
  /** Bytes of this line that were read as the field's name. */
  let named = 0;
  /** A line of this event had a field (not a comment). */
  let begun = false;
  let hasData = false;
  let dataBytes = 0;
  /** The last byte was CR: an LF now belongs to it. `bareCr`: this stream ends lines with CR alone. */
  let afterCr = false;
  let bareCr = false;

  const data = (bytes: Uint8Array, start: number, end: number): void => {
    dataBytes += end - start;
    if (dataBytes <= MAX_EVENT_BYTES) scan.push(bytes, start, end);
  };

  const startData = (): void => {
    if (hasData) data(NEWLINE, 0, 1);
    hasData = true;
  };

  /** A piece of a line without its end. */
  const piece = (bytes: Uint8Array, start: number, end: number): void => {
    let i = start;
    while (line === FIELD && i < end) {
      const byte = bytes[i++];
      if (byte === COLON) {
        if (named === 0) line = COMMENT;
        else if (named === DATA.length) {
          startData();
          line = VALUE_START;
        } else line = IGNORED;
      } else if (byte === DATA[named]) named++;
      else line = IGNORED;
      if (line !== COMMENT) begun = true;
    }
    if (line === VALUE_START && i < end) {
      if (bytes[i] === SPACE) i++;
      line = VALUE;
    }
    if (line === VALUE && i < end) data(bytes, i, end);
  };

  const dispatch = (): void => {
    if (hasData) {
      events++;
      if (dataBytes <= MAX_EVENT_BYTES && scan.end() === undefined) {
        const reading = read(scan, binding, operation);
        terminal ||= reading.terminal;
        onEvent(reading.seen);
      }
      scan.reset();
    }
    begun = false;
    hasData = false;
    dataBytes = 0;
  };

  const lineEnds = (): void => {
    if (line === FIELD && named === 0) dispatch();
    else if (line === FIELD && named === DATA.length) startData();
    line = FIELD;
    named = 0;
  };

  return {
    push(chunk) {
      const end = chunk.length;
      let i = 0;
      while (bomAt < BOM.length && i < end && chunk[i] === BOM[bomAt]) {
        bomAt++;
        i++;
      }
      if (i < end) bomAt = BOM.length;
      // Each is searched again only once it was passed: a search per line would be quadratic where the other never comes.
      let nextCr = chunk.indexOf(CR, i);
      let nextLf = chunk.indexOf(LF, i);
      while (i < end) {
        if (afterCr) {
          afterCr = false;
          if (chunk[i] === LF) {
            i++;
            continue;
          }
          bareCr = true;
        }
        if (nextCr !== -1 && nextCr < i) nextCr = chunk.indexOf(CR, i);
        if (nextLf !== -1 && nextLf < i) nextLf = chunk.indexOf(LF, i);
        const stop = nextCr !== -1 && (nextLf === -1 || nextCr < nextLf) ? nextCr : nextLf;
        if (stop === -1) {
          piece(chunk, i, end);
          return;
        }
        if (stop > i) piece(chunk, i, stop);
        lineEnds();
        afterCr = stop === nextCr;
        i = stop + 1;
      }
    },
    events: () => events,
    betweenEvents: () => !begun && line === FIELD && named === 0 && (!afterCr || bareCr),
    terminal: () => terminal,
  };
}
