// What the subscription says of itself. In: nothing. Out: a value for metrics and readiness.

export interface SubscribeState {
  /** Whether the operator whose stream is applied is sending. */
  readonly connected: boolean;
  /** Streams of other operators that stand by, and streams that are lost. */
  readonly standby: number;
  readonly lost: number;
  /** When the last line was heard on any stream, milliseconds since the epoch. */
  readonly heardAt: number | undefined;
  /** What the table was last confirmed by. */
  readonly source: "stream" | "last-good" | "none";
  /** When the log was last written that the table came from, milliseconds since the epoch; only while it did. */
  readonly writtenAt: number | undefined;
  /** Batches and lines that could not be trusted, since the start: all, and by what was wrong with them. */
  readonly resyncs: number;
  readonly faults: ReadonlyMap<string, number>;
  /** Streams that were opened again, since the start. */
  readonly reconnects: number;
  /** How often another operator's stream was taken to be applied. */
  readonly switches: number;
}

export const startState: SubscribeState = {
  connected: false,
  standby: 0,
  lost: 0,
  heardAt: undefined,
  source: "none",
  writtenAt: undefined,
  resyncs: 0,
  faults: new Map(),
  reconnects: 0,
  switches: 0,
};
