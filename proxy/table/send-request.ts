// One request and its whole answer. In: a dispatcher, what to send. Out: status and text. By undici's dispatch: its `request` makes
// some kilobytes each time (a stream, its listeners) that outlive young collections.
import type { Dispatcher } from "undici";
import type { Clock } from "./clock.ts";

export interface Sending {
  /** Counts towards the timeout. */
  readonly prepared: Promise<{ readonly dispatcher: Dispatcher; readonly options: Dispatcher.DispatchOptions }>;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  readonly clock: Pick<Clock, "setTimeout">;
  readonly signal: AbortSignal | undefined;
  /** Told as soon as it is known, whatever becomes of the body. */
  readonly onStatus: (status: number) => void;
  /** Bytes of the answer's body; of one that has more the rest is not read. */
  readonly longest: number;
}

export interface Answer {
  readonly status: number;
  /** Undefined when it is longer than `longest`. */
  readonly text: string | undefined;
}

/** Rejects on I/O, when the time is over, and with the reason of the signal. */
export function sendRequest({ prepared, timeout, clock, signal, onStatus, longest }: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let fault: Error | undefined;
    let status = 0;
    const chunks: Buffer[] = [];
    let length = 0;

    const settle = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
    };
    const end = (text: string | undefined): void => {
      settle();
      resolve({ status, text });
    };
    const fail = (error: Error): void => {
      fault ??= error;
      settle();
      reject(fault);
      controller?.abort(fault);
    };
    const abort = (): void => fail(signal?.reason as Error);
    const late = (): void => fail(new Error(`no answer within ${timeout / 1_000} s`));
    const timer = clock.setTimeout(late, timeout);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (started) => {
        // It was given up before its turn came. An abort would cut the connection, which may be new and of use to others.
        if (fault !== undefined) throw fault;
        controller = started;
      },
      onResponseStart: (_, code) => {
        status = code;
        onStatus(code);
      },
      onResponseData: (_, chunk) => {
        length += chunk.length;
        if (length <= longest) return void chunks.push(chunk);
        end(undefined);
        controller?.abort(new Error("the answer is too long"));
      },
      onResponseEnd: () => end(Buffer.concat(chunks, length).toString("utf8")),
      onResponseError: (_, error) => fail(error),
    };
    prepared
      .then(({ dispatcher, options }) => fault === undefined && dispatcher.dispatch(options, handler))
      .catch((error: unknown) => fail(error as Error));
  });
}
