// An operator for tests: speaks the contract over real HTTP, and breaks it where a test says so.
// In: changes to rows. Out: streams, acknowledgements received, and a bell that rings whenever something happens.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ACKS_PATH, STREAM_PATH, type Ack, type RowChange, type RowId, type StreamLine } from "./contract.ts";
import { createDigest, type Digest } from "./digest.ts";
import { encodeLine, encodePut, rowHash } from "./encode.ts";

/** Lets a test wait for a condition that is looked at again whenever something rings. */
export interface Bell {
  ring(): void;
  until(condition: () => boolean): Promise<void>;
}

export function createBell(): Bell {
  const waiting = new Set<() => void>();
  return {
    ring() {
      for (const look of waiting) look();
    },
    until(condition) {
      return new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
  };
}

export interface Subscription {
  readonly query: URLSearchParams;
  /** Sends text as it is. */
  send(text: string): void;
  end(): void;
}

export interface TestOperator {
  readonly url: string;
  readonly version: string;
  readonly subscriptions: readonly Subscription[];
  readonly acks: readonly Ack[];
  /** Answers to acknowledgements; 204 unless a test says otherwise. Undefined: never. */
  ackStatus: number | undefined;
  /** Answers to a subscription. Anything but "Serve" sends no line of its own. */
  mode: "Serve" | "Quiet" | "Unavailable";
  /** Sees every line before it goes out and gives the lines that go out in its place. */
  mangle: (line: string) => readonly string[];
  gateway: string;
  apply(changes: readonly RowChange[]): void;
  heartbeat(): void;
  /** Ends all streams. */
  cut(): void;
  close(): Promise<void>;
}

/** Listens on a free loopback port. */
export async function startTestOperator(bell: Bell, replica = "r-1"): Promise<TestOperator> {
  const lines = new Map<RowId, string>();
  const digest: Digest = createDigest();
  const subscriptions: (Subscription & { readonly response: ServerResponse })[] = [];
  const acks: Ack[] = [];
  let sequence = 0;

  const send = (response: ServerResponse, texts: readonly string[]): void => {
    const out = texts.flatMap((text) => operator.mangle(text));
    if (out.length > 0) response.write(`${out.join("\n")}\n`);
  };
  const batch = (texts: readonly string[], reset: boolean): readonly string[] => {
    const version = digest.version();
    const commit: StreamLine = { type: "COMMIT", replica, sequence, lines: texts.length, rows: digest.size, version };
    return [encodeLine({ type: "BATCH", replica, sequence, reset }), ...texts, encodeLine(commit)];
  };
  const serve = (response: ServerResponse, query: URLSearchParams): void => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.flushHeaders();
    subscriptions.push({ query, response, send: (text) => void response.write(text), end: () => response.end() });
    if (operator.mode === "Serve") {
      const known = query.get("version") === digest.version();
      const hello = encodeLine({ type: "HELLO", gateway: operator.gateway, replica });
      send(response, [hello, ...batch(known ? [] : [...lines.values()], !known)]);
    }
    bell.ring();
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://operator");
    if (url.pathname === STREAM_PATH && operator.mode === "Unavailable") response.writeHead(503).end();
    else if (url.pathname === STREAM_PATH) serve(response, url.searchParams);
    else if (url.pathname === ACKS_PATH) {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        acks.push(JSON.parse(Buffer.concat(chunks).toString()) as Ack);
        if (operator.ackStatus !== undefined) response.writeHead(operator.ackStatus).end();
        bell.ring();
      });
    } else response.writeHead(404).end();
    bell.ring();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });

  const open = (): typeof subscriptions => subscriptions.filter(({ response }) => !response.writableEnded);
  const operator: TestOperator = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get version() {
      return digest.version();
    },
    subscriptions,
    acks,
    ackStatus: 204,
    mode: "Serve",
    mangle: (line) => [line],
    gateway: "default",
    apply(changes) {
      const texts = changes.map(({ id, row }) => {
        const line = row === null ? encodeLine({ type: "REMOVE", id }) : encodePut(id, row);
        if (row === null) {
          lines.delete(id);
          digest.delete(id);
        } else {
          lines.set(id, line);
          digest.set(id, rowHash(id, line));
        }
        return line;
      });
      sequence += 1;
      const out = batch(texts, false);
      for (const { response } of open()) send(response, out);
    },
    heartbeat() {
      const beat = encodeLine({ type: "HEARTBEAT", replica, sequence, version: digest.version() });
      for (const { response } of open()) send(response, [beat]);
    },
    cut() {
      for (const { response } of open()) response.end();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return operator;
}
