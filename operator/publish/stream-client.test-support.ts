// A proxy's end of the stream, as a test drives it. In: where the stream is. Out: its lines, one by one; a table kept by them.
import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Ack, StreamLine, Subscription } from "../../proxy/table/contract.ts";
import { bucketOf, createDigest } from "../../proxy/table/digest.ts";
import type { Digest } from "../../proxy/table/digest.ts";
import { decodeLine, rowHash } from "../../proxy/table/encode.ts";

export interface StreamClient {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Rows as the last whole batch left them: id to line. */
  readonly table: ReadonlyMap<string, string>;
  /** Version that the lines themselves give. */
  version(): string;
  /** As a `Subscription` names the buckets of this table. */
  prefixes(): string;
  /** Called with each line, from the first one on. */
  onLine(listener: (line: StreamLine) => void): void;
  /** The next line that fits, others are skipped. One caller at a time. */
  until<T extends StreamLine["type"]>(
    type: T,
    fits?: (line: Extract<StreamLine, { type: T }>) => boolean,
  ): Promise<Extract<StreamLine, { type: T }>>;
  /** All lines so far. */
  readonly lines: readonly StreamLine[];
  /** Resolves when the stream has ended, in whatever way. */
  readonly ended: Promise<void>;
  pause(): void;
  resume(): void;
  close(): void;
}

/** @param held the table that the client comes with */
export async function openStream(
  port: number,
  subscription: Subscription,
  held: ReadonlyMap<string, string> = new Map(),
): Promise<StreamClient> {
  const sent = request({ host: "127.0.0.1", port, path: "/v1/stream", method: "POST", agent: false });
  sent.on("error", () => undefined);
  sent.end(JSON.stringify(subscription));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const lines: StreamLine[] = [];
  let table = new Map(held);
  let staged = new Map<string, string>();
  let rest = "";
  let seen = 0;
  let wake: () => void = () => undefined;
  const listeners: ((line: StreamLine) => void)[] = [];
  response.setEncoding("utf8");
  response.on("error", () => undefined);
  response.on("data", (text: string) => {
    if (response.statusCode !== 200) return;
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) take(part);
    wake();
  });
  const ended = new Promise<void>((resolve) => {
    response.on("close", resolve);
  });

  const take = (text: string): void => {
    const line = decodeLine(text);
    if (line === undefined) throw new Error(`not a line of the stream: ${text}`);
    lines.push(line);
    if (line.type === "BATCH") {
      const whole = line.buckets ?? [];
      staged = new Map(
        line.reset ? [] : [...table].filter(([id]) => whole.length === 0 || !whole.includes(bucketOf(id))),
      );
    }
    if (line.type === "PUT") staged.set(line.id, text);
    if (line.type === "REMOVE") staged.delete(line.id);
    if (line.type === "COMMIT") table = staged;
    for (const listener of listeners) listener(line);
  };

  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    get table() {
      return table;
    },
    version: () => digestOf(table).version(),
    prefixes: () => digestOf(table).prefixes(),
    onLine: (listener) => {
      for (const line of lines) listener(line);
      listeners.push(listener);
    },
    until: async (type, fits = () => true) => {
      for (;;) {
        for (let line = lines[seen]; line !== undefined; line = lines[seen]) {
          seen++;
          if (line.type === type && fits(line as never)) return line as never;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    lines,
    ended,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void response.destroy(),
  };
}

function digestOf(table: ReadonlyMap<string, string>): Digest {
  const digest = createDigest();
  for (const [id, line] of table) digest.set(id, rowHash(id, line));
  return digest;
}

/** Gives the HTTP status. */
export async function postAck(port: number, ack: Ack | string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/acks`, {
    method: "POST",
    body: typeof ack === "string" ? ack : JSON.stringify(ack),
  });
  await answer.arrayBuffer();
  return answer.status;
}
