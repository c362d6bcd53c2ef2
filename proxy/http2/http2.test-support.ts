// Clients of HTTP/2 for tests. In: a port. Out: a secured proxy before an agent, sessions of node:http2, and frames written by hand.
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  type Settings,
} from "node:http2";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Clock } from "../../process/clock.ts";
import type { createCleanup } from "../cleanup.test-support.ts";
import {
  type AgentHandler,
  agentChange,
  endpointAt,
  endpointsRow,
  rpc,
  message,
  startAgent,
  startProxy,
  TOKEN,
} from "../proxy.test-support.ts";
import type { RowChange } from "../table/contract.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "../upstream/certificate.test-support.ts";

const NAME = "gateway.example.com";
const ca = CERTIFICATE;

export const CALL = rpc("message/send", message());
export const STREAM = rpc("message/stream", message());

export interface H2Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** 0: a clean end. */
  readonly code: number;
}

/** A proxy that serves TLS before an agent. */
export async function secured(
  use: ReturnType<typeof createCleanup>,
  handler: AgentHandler,
  options: {
    config?: NonNullable<Parameters<typeof startProxy>[1]>["config"];
    rows?: readonly RowChange[];
    clock?: Clock;
  } = {},
) {
  const agent = await use(startAgent(handler));
  const proxy = await use(
    startProxy([agentChange(), endpointsRow(endpointAt(agent.port)), ...(options.rows ?? [])], {
      certificate: { current: { cert: CERTIFICATE, key: CERTIFICATE_KEY }, onChange: () => undefined },
      ...(options.config === undefined ? {} : { config: options.config }),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    }),
  );
  return { ...proxy, agent };
}

export async function openSession(port: number, settings: Settings = {}): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { ca, settings });
  session.on("error", () => {});
  await once(session, "connect");
  return session;
}

const POST = {
  ":method": "POST",
  ":path": "/a2a/travel",
  ":authority": NAME,
  authorization: `Bearer ${TOKEN}`,
  "content-type": "application/json",
};

/** A POST to the agent, unless headers say something else. */
export function ask(session: ClientHttp2Session, body?: string | Buffer, headers: OutgoingHttpHeaders = {}) {
  const stream = session.request({ ...POST, ...headers }, { endStream: body === undefined });
  stream.on("error", () => {});
  if (body !== undefined) stream.end(body);
  return stream;
}

/** The same without its body, which may follow. */
export function begin(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const stream = session.request({ ...POST, ...headers }, { endStream: false });
  stream.on("error", () => {});
  return stream;
}

/** Resolves when the stream or session is over, well or not. */
export function closed(of: ClientHttp2Stream | ClientHttp2Session): Promise<void> {
  return of.destroyed ? Promise.resolve() : new Promise((resolve) => void of.once("close", () => resolve()));
}

/** All of an answer, however it ends. */
export async function reply(stream: ClientHttp2Stream): Promise<H2Reply> {
  let body = "";
  let headers: Record<string, unknown> = {};
  stream.on("response", (head) => {
    headers = head;
  });
  stream.on("data", (chunk: Buffer) => {
    body += String(chunk);
  });
  await closed(stream);
  return { status: Number(headers[":status"] ?? 0), headers, body, code: stream.rstCode ?? 0 };
}

/** Reads until the text is there. */
export async function holds(stream: ClientHttp2Stream, text: string): Promise<void> {
  let heard = "";
  while (!heard.includes(text)) heard += String(((await once(stream, "data")) as [Buffer])[0]);
}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Literal fields that are not indexed (RFC 7541 section 6.2.2), each shorter than 127 bytes. */
function fields(headers: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, "latin1")]);
  return Buffer.concat(headers.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])));
}

/** Asks with windows that have no end, and takes nothing of what comes. */
export async function askAndTakeNothing(port: number): Promise<TLSSocket> {
  const socket = connectTls({ port, host: "127.0.0.1", ca, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  socket.pause();
  socket.on("error", () => {});
  const most = 2 ** 31 - 1;
  // SETTINGS_INITIAL_WINDOW_SIZE.
  const settings = Buffer.from([0, 4, 0, 0, 0, 0]);
  settings.writeUInt32BE(most, 2);
  const window = Buffer.alloc(4);
  window.writeUInt32BE(most - 65_535);
  const headers = Object.entries({ ...POST, ":scheme": "https" }).sort(([name], [other]) => (name < other ? -1 : 1));
  socket.write(
    Buffer.concat([
      Buffer.from(PREFACE),
      frame(4, 0, 0, settings),
      frame(8, 0, 0, window),
      frame(1, 4, 1, fields(headers)),
      frame(0, 1, 1, Buffer.from(CALL)),
    ]),
  );
  return socket;
}

/** Sends a head that no client library would, and gives the error code that the stream was reset with; -1: it was answered. */
export async function resetOf(port: number, headers: readonly (readonly [string, string])[]): Promise<number> {
  const socket = connectTls({ port, host: "127.0.0.1", ca, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  const settings = frame(4, 0, 0, Buffer.alloc(0));
  // END_HEADERS and END_STREAM.
  socket.write(Buffer.concat([Buffer.from(PREFACE), settings, frame(1, 5, 1, fields(headers))]));
  let heard = Buffer.alloc(0);
  try {
    for (;;) {
      heard = Buffer.concat([heard, ((await once(socket, "data")) as [Buffer])[0]]);
      for (let at = 0; at + 9 <= heard.length; at += 9 + heard.readUIntBE(at, 3)) {
        const type = heard[at + 3];
        if (heard.readUInt32BE(at + 5) !== 1) continue;
        if (type === 1) return -1;
        if (type === 3 && at + 13 <= heard.length) return heard.readUInt32BE(at + 9);
      }
    }
  } finally {
    socket.destroy();
  }
}
