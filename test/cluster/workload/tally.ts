// What a load client saw. In: requests and streams as they end. Out: figures, with the first few reasons of each failure in words.

export interface Figures {
  readonly requests: number;
  readonly failed: number;
  /** Milliseconds of the slowest request. */
  readonly slowest: number;
  /** Streams that run. */
  readonly open: number;
  /** Streams that came to their own end. */
  readonly finished: number;
  /** Streams that ended otherwise. */
  readonly cut: number;
  /** The newest reasons, at most twenty. */
  readonly reasons: readonly string[];
}

export interface Tally {
  /** @param failure in words; undefined: it was answered */
  request(failure: string | undefined, ms: number): void;
  opened(): void;
  closed(failure: string | undefined): void;
  figures(): Figures;
}

const REASONS = 20;

export function createTally(): Tally {
  const sum = { requests: 0, failed: 0, slowest: 0, open: 0, finished: 0, cut: 0 };
  const reasons: string[] = [];
  const because = (what: string): void => {
    reasons.push(`${new Date().toISOString()} ${what}`);
    if (reasons.length > REASONS) reasons.shift();
  };
  return {
    request(failure, ms) {
      sum.requests += 1;
      sum.slowest = Math.max(sum.slowest, Math.round(ms));
      if (failure === undefined) return;
      sum.failed += 1;
      because(`request: ${failure}`);
    },
    opened() {
      sum.open += 1;
    },
    closed(failure) {
      sum.open -= 1;
      if (failure === undefined) sum.finished += 1;
      else {
        sum.cut += 1;
        because(`stream: ${failure}`);
      }
    },
    figures: () => ({ ...sum, reasons: [...reasons] }),
  };
}
