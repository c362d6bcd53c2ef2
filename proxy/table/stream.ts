// One stream, from request to end. In: an operator's base URL and a reader of lines. Out: steps as they happen, then why it ended.
import { request } from "undici";
import type { Session } from "./access.ts";
import type { Clock } from "./clock.ts";
import { HEARTBEAT_MS, STREAM_MEDIA_TYPE } from "./contract.ts";
import { createLineSplitter } from "./split-lines.ts";
import type { Step, StreamReader } from "./stream-reader.ts";

export type StreamEnd =
  | { readonly end: "Aborted" }
  /** No connection, an answer other than 200, or the connection broke. `detail` is for the log. */
  | { readonly end: "Lost"; readonly detail: string }
  | { readonly end: "Silent" }
  /** Begin again at once: there is a new token. */
  | { readonly end: "Renewed" }
  | { readonly end: "OtherGateway"; readonly gateway: string }
  /** What came cannot be trusted: the whole table is to be asked for. */
  | { readonly end: "Fault"; readonly fault: string };

export interface StreamDeps {
  readonly url: URL;
  readonly session: Pick<Session, "dispatcher" | "headers" | "renewed">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly reader: StreamReader;
  /** Each step that the reader took, in order. */
  onStep(step: Step): void;
  /** After each piece that was read. */
  onHeard(): void;
}

/** A stream is dead after so many heartbeats in which nothing came; a request, after twice as many without an answer. */
const QUIET_BEATS = 4;

/**
 * Never rejects. Silence is counted in turns of a timer, not read off the clock: so neither a clock that is set nor a process that was
 * stopped for a while (its data waits in the socket) ends a stream that lives.
 */
export async function readStream(deps: StreamDeps): Promise<StreamEnd> {
  const { url, session, clock, signal, reader } = deps;
  const quiet = new AbortController();
  let beats = -QUIET_BEATS;
  const beat = (): void => {
    beats += 1;
    if (beats >= QUIET_BEATS) quiet.abort();
    else timer = clock.setTimeout(beat, HEARTBEAT_MS);
  };
  let timer = clock.setTimeout(beat, HEARTBEAT_MS);

  try {
    const { statusCode, body } = await request(url, {
      dispatcher: session.dispatcher,
      headers: { accept: STREAM_MEDIA_TYPE, ...session.headers },
      signal: AbortSignal.any([signal, quiet.signal, session.renewed]),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    if (statusCode !== 200) {
      await body.dump();
      return { end: "Lost", detail: `status ${statusCode}` };
    }
    const splitter = createLineSplitter();
    for await (const chunk of body as AsyncIterable<Buffer>) {
      // The beat under way does not count.
      beats = -1;
      const lines = splitter.push(chunk);
      const ended = lines === undefined ? ({ end: "Fault", fault: "LineTooLong" } as const) : readLines(lines, deps);
      deps.onHeard();
      if (ended !== undefined) return ended;
    }
    return { end: "Lost", detail: "the operator ended the stream" };
  } catch (error) {
    if (signal.aborted) return { end: "Aborted" };
    if (session.renewed.aborted) return { end: "Renewed" };
    if (quiet.signal.aborted) return { end: "Silent" };
    return { end: "Lost", detail: error instanceof Error ? error.message : String(error) };
  } finally {
    timer.cancel();
    reader.end();
  }
}

function readLines(lines: readonly string[], deps: StreamDeps): StreamEnd | undefined {
  for (const text of lines) {
    if (deps.signal.aborted) return { end: "Aborted" };
    const step = deps.reader.line(text);
    if (step.step === "Fault") return { end: "Fault", fault: step.fault };
    if (step.step === "OtherGateway") return { end: "OtherGateway", gateway: step.gateway };
    if (step.step !== "None") deps.onStep(step);
  }
  return undefined;
}
