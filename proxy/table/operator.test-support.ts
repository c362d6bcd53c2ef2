// An operator for tests: speaks the contract over real HTTP, and breaks it where a test says so.
// In: changes to rows. Out: streams, acknowledgements received, and a bell that rings whenever something happens.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  ACKS_PATH,
  decidesAccess,
  STREAM_PATH,
  type Ack,
  type RowChange,
  type RowId,
  type StreamLine,
  type Subscription,
} from "./contract.ts";
import { bucketOf, createDigest, type Digest } from "./digest.ts";
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

export interface Subscribed {
  readonly asked: Subscription;
  /** Sends text as it is. */
  send(text: string): void;
  end(): void;
}

export interface TestOperator {
  readonly url: string;
  readonly version: string;
  readonly subscriptions: readonly Subscribed[];
  readonly acks: readonly Ack[];
  /** Answers to acknowledgements; 204 unless a test says otherwise. Undefined: never. */
  ackStatus: number | undefined;
  /** Answers to a subscription. Anything but "Serve" sends no line of its own. */
  mode: "Serve" | "Quiet" | "Unavailable";
  /** Sees every line before it goes out and gives the lines that go out in its place. */
  mangle: (line: string) => readonly string[];
  gateway: string;
  /** Replica that HELLO and heartbeats name as the Lease holder. */
  holder: string | undefined;
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
  const subscriptions: (Subscribed & { readonly response: ServerResponse })[] = [];
  const acks: Ack[] = [];
  let sequence = 0;
  /** What it has been told is all that it reads: as if every change were one of the API server's. */
  let known = 0;

  const send = (response: ServerResponse, texts: readonly string[]): void => {
    const out = texts.flatMap((text) => operator.mangle(text));
    if (out.length > 0) response.write(`${out.join("\n")}\n`);
  };
  const batch = (
    texts: readonly string[],
    kind: { reset?: boolean; buckets?: readonly number[] },
  ): readonly string[] => {
    const version = digest.version();
    const commit: StreamLine = {
      type: "COMMIT",
      replica,
      sequence,
      lines: texts.length,
      rows: digest.size(),
      version,
      reach: { changes: known },
    };
    return [encodeLine({ type: "BATCH", replica, sequence, reset: false, ...kind }), ...texts, encodeLine(commit)];
  };
  const heartbeat = (): string => {
    const { holder } = operator;
    const version = digest.version();
    const reach = { changes: known };
    return encodeLine({
      type: "HEARTBEAT",
      replica,
      sequence,
      version,
      reach,
      ...(holder === undefined ? {} : { holder }),
    });
  };
  /** What follows the greeting. */
  const first = ({ standby, version, buckets }: Subscription): readonly string[] => {
    if (standby === true) return [heartbeat()];
    if (version === digest.version()) return batch([], {});
    const differing = buckets === undefined ? undefined : digest.differing(buckets);
    if (version === undefined || differing === undefined) return batch([...lines.values()], { reset: true });
    const texts = [...lines].filter(([id]) => differing.includes(bucketOf(id))).map(([, line]) => line);
    return batch(texts, { buckets: differing });
  };
  const serve = (response: ServerResponse, asked: Subscription): void => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.flushHeaders();
    subscriptions.push({ asked, response, send: (text) => void response.write(text), end: () => response.end() });
    if (operator.mode === "Serve") {
      const { gateway, holder } = operator;
      const hello = encodeLine({ type: "HELLO", gateway, replica, ...(holder === undefined ? {} : { holder }) });
      send(response, [hello, ...first(asked)]);
    }
    bell.ring();
  };
  const read = async (request: IncomingMessage): Promise<unknown> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString());
  };
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await read(request);
    if (request.url === STREAM_PATH) return serve(response, body as Subscription);
    acks.push(body as Ack);
    if (operator.ackStatus !== undefined) response.writeHead(operator.ackStatus).end();
    return bell.ring();
  };

  const server = createServer((request, response) => {
    if (request.url === STREAM_PATH && operator.mode === "Unavailable") response.writeHead(503).end();
    else if (request.method !== "POST" || (request.url !== STREAM_PATH && request.url !== ACKS_PATH)) {
      response.writeHead(404).end();
    } else take(request, response).catch(() => response.destroy());
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
    holder: undefined,
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
      known += changes.length;
      const out = batch(texts, {});
      const taken = batch(
        texts.filter((_text, at) => decidesAccess(changes[at]?.id ?? "")),
        {},
      );
      for (const { response, asked } of open()) send(response, asked.standby === true ? taken : out);
    },
    heartbeat() {
      for (const { response } of open()) send(response, [heartbeat()]);
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
