// One stream, from request to end. In: a subscription and a reader of lines. Out: steps as they happen, then why it ended.
import { setImmediate as turn } from "node:timers/promises";
import type { Session } from "./access.ts";
import type { Clock } from "./clock.ts";
import { HEARTBEAT_MS, STREAM_MEDIA_TYPE, type Subscription } from "./contract.ts";
import { createLineSplitter } from "./split-lines.ts";
import { request } from "./undici.ts";

export type StreamEnd =
  | { readonly end: "Aborted" }
  /** No connection, an answer other than 200, or the connection broke. `detail` is for the log. */
  | { readonly end: "Lost"; readonly detail: string }
  | { readonly end: "Silent" }
  /** Begin again at once: there is a new token. */
  | { readonly end: "Renewed" }
  | { readonly end: "OtherGateway"; readonly gateway: string }
  /** What came cannot be trusted: what the table lacks is to be asked for anew. */
  | { readonly end: "Fault"; readonly fault: string };

/** What readers share: whatever else a step is, these two end the stream. */
type Ending =
  | { readonly step: "OtherGateway"; readonly gateway: string }
  | { readonly step: "Fault"; readonly fault: string };

export interface StreamDeps<S extends { readonly step: string }> {
  readonly url: URL;
  readonly subscription: Subscription;
  readonly session: Pick<Session, "dispatcher" | "headers" | "renewed">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly reader: { line(text: string): S | Ending | Promise<S | Ending>; end(): void };
  /** Each step that the reader took, in order. */
  readonly onStep: (step: S) => void;
  /** After each piece that was read. */
  readonly onHeard: () => void;
}

/** A stream is dead after so many heartbeats in which nothing came; a request, after twice as many without an answer. */
export const QUIET_BEATS = 4;
/** Milliseconds that lines are read for before requests get their turn. */
const TURN_MS = 4;

/**
 * Never rejects. Silence is counted in turns of a timer, not read off the clock: so neither a clock that is set nor a process that was
 * stopped for a while (its data waits in the socket) ends a stream that lives.
 */
export async function readStream<S extends { readonly step: string }>(deps: StreamDeps<S>): Promise<StreamEnd> {
  const { url, subscription, session, clock, signal, reader } = deps;
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
      method: "POST",
      headers: { accept: STREAM_MEDIA_TYPE, "content-type": "application/json", ...session.headers },
      body: JSON.stringify(subscription),
      signal: AbortSignal.any([signal, quiet.signal, session.renewed]),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    if (statusCode !== 200) {
      await body.dump();
      return { end: "Lost", detail: `status ${statusCode}` };
    }
    const splitter = createLineSplitter();
    const reading = { worked: 0 };
    for await (const chunk of body as AsyncIterable<Buffer>) {
      // The beat under way does not count.
      beats = -1;
      const lines = splitter.push(chunk);
      const ended =
        lines === undefined ? ({ end: "Fault", fault: "LineTooLong" } as const) : await readLines(lines, deps, reading);
      deps.onHeard();
      if (ended !== undefined) return ended;
      // What was read meanwhile waits in the socket, and is no silence.
      beats = -1;
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

async function readLines<S extends { readonly step: string }>(
  lines: readonly string[],
  { signal, reader, clock, onStep }: StreamDeps<S>,
  reading: { worked: number },
): Promise<StreamEnd | undefined> {
  let begun = clock.elapsed();
  for (const text of lines) {
    if (signal.aborted) return { end: "Aborted" };
    const now = clock.elapsed();
    reading.worked += now - begun;
    begun = now;
    if (reading.worked >= TURN_MS) {
      await turn();
      reading.worked = 0;
      begun = clock.elapsed();
    }
    const made = reader.line(text);
    const step = made instanceof Promise ? await made : made;
    if (isEnding(step)) {
      if (signal.aborted) return { end: "Aborted" };
      return step.step === "Fault"
        ? { end: "Fault", fault: step.fault }
        : { end: "OtherGateway", gateway: step.gateway };
    }
    if (step.step !== "None") onStep(step);
  }
  reading.worked += clock.elapsed() - begun;
  return undefined;
}

const isEnding = (step: { readonly step: string }): step is Ending =>
  step.step === "Fault" || step.step === "OtherGateway";
