// The listener of the clients over TLS: the same stages behind it, a certificate that changes, a drain that leaves nobody behind.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect as connectPlain } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { makeCa, makeServing } from "../operator/publish/certificates.ts";
import type { CertificatePair } from "../process/certificate-files.ts";
import { createCleanup } from "./cleanup.test-support.ts";
import {
  agentChange,
  endpointAt,
  endpointsRow,
  json,
  message,
  rpc,
  startAgent,
  startProxy,
  TASK,
  TOKEN,
} from "./proxy.test-support.ts";

const use = createCleanup();
const ca = makeCa("test", Date.now());
const pairOf = (name: string): CertificatePair => makeServing(ca, [name], Date.now());

async function serving(config: NonNullable<Parameters<typeof startProxy>[1]>["config"] = {}) {
  const held: (() => void)[] = [];
  const answer = (res: ServerResponse, id: unknown, metadata = ""): void =>
    json(res, 200, { jsonrpc: "2.0", id, result: { ...TASK, metadata } });
  const agent = await use(
    startAgent((_req, res, body) => {
      const { id } = JSON.parse(body) as { id: unknown };
      if (body.includes("hold")) held.push(() => answer(res, id));
      else if (body.includes("large")) answer(res, id, `${"x".repeat(3_000_000)}end`);
      else answer(res, id);
    }),
  );
  let change: (pair: CertificatePair) => void = () => undefined;
  const certificate = {
    current: pairOf("first.example.com"),
    onChange: (listener: (pair: CertificatePair) => void) => {
      change = listener;
    },
  };
  const proxy = await use(startProxy([agentChange(), endpointsRow(endpointAt(agent.port))], { certificate, config }));
  return { ...proxy, held, renew: (pair: CertificatePair) => change(pair) };
}

async function secure(port: number, servername: string): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", ca: ca.cert, servername, ALPNProtocols: ["http/1.1"] });
  await once(socket, "secureConnect");
  return socket;
}

/** Sends text on the connection and gives what comes until it fits. */
async function exchange(socket: TLSSocket, sent: string, fits: RegExp): Promise<string> {
  let heard = "";
  socket.write(sent);
  while (!fits.test(heard)) heard += String(((await once(socket, "data")) as [Buffer])[0]);
  return heard;
}

function call(text = "hello"): string {
  const body = rpc("message/send", message({ messageId: text }));
  return [
    "POST /a2a/travel HTTP/1.1",
    "Host: gateway.example.com",
    `Authorization: Bearer ${TOKEN}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}

test("serves A2A, says that it speaks HTTP/1.1, and refuses what is no request", async () => {
  const { port, refused } = await serving();
  const socket = await secure(port, "first.example.com");
  expect(socket.alpnProtocol).toBe("http/1.1");
  expect(await exchange(socket, call(), /task-1/)).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(await exchange(await secure(port, "first.example.com"), "garbage\r\n\r\n", /\r\n\r\n/)).toMatch(
    /^HTTP\/1\.1 400 /,
  );
  expect(refused).toEqual(["InvalidRequest"]);
});

test.each([
  ["a head that does not come", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 408],
  ["a head that is too large", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(17_000)}\r\n\r\n`, 431],
  ["no Host", "GET /a2a/travel HTTP/1.1\r\n\r\n", 400],
  ["two Hosts", "GET /a2a/travel HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400],
  ["an upgrade", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 400],
  ["CONNECT", "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n", 405],
  ["another expectation", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n", 417],
  ["HTTP/2 that was not agreed on", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
])("refuses over HTTP/1.1 what the plain listener refuses: %s", async (_, sent, status) => {
  const { port } = await serving({ headersTimeout: 200 });
  const socket = await secure(port, "first.example.com");
  expect(await exchange(socket, sent, /\r\n\r\n/)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});

test.each([
  ["that does not begin", ""],
  ["of which only a piece comes", "\x16\x03\x01\x02\x00\x01"],
])("closes a connection whose handshake takes longer than a head may: one %s", async (_, sent) => {
  const { port, refused } = await serving({ headersTimeout: 200 });
  const socket = connectPlain(port, "127.0.0.1");
  socket.write(sent, "latin1");
  socket.resume();
  await once(socket, "close");
  expect(refused).toEqual([]);
});

test("closes a connection of HTTP/1.1 that is idle for too long", async () => {
  const { port } = await serving({ keepAliveTimeout: 50 });
  const socket = await secure(port, "first.example.com");
  expect(await exchange(socket, call(), /task-1/)).toMatch(/\r\nkeep-alive: timeout=/i);
  await once(socket, "close");
});

test("a large answer passes whole, and the connection goes on", async () => {
  const { port } = await serving();
  const socket = await secure(port, "first.example.com");
  const [, length = ""] = /content-length: (\d+)/i.exec(await exchange(socket, call("large"), /xend"\}\}/)) ?? [];
  expect(Number(length)).toBeGreaterThan(3_000_000);
  expect(await exchange(socket, call(), /task-1/)).toMatch(/^HTTP\/1\.1 200 OK/);
});

test("shows a new certificate to new connections, and keeps those that stand", async () => {
  const { port, renew } = await serving();
  const before = await secure(port, "first.example.com");
  renew(pairOf("second.example.com"));
  const after = await secure(port, "second.example.com");
  expect(await exchange(after, call(), /task-1/)).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(await exchange(before, call(), /task-1/)).toMatch(/^HTTP\/1\.1 200 OK/);
  await expect(secure(port, "first.example.com")).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
});

test("drains: idle connections are closed, a request that runs is answered", async () => {
  const { port, proxy, held, until } = await serving();
  const idle = await secure(port, "first.example.com");
  await exchange(idle, call(), /task-1/);
  const busy = await secure(port, "first.example.com");
  const answered = exchange(busy, call("hold"), /task-1/);
  await until(() => held.length === 1);
  const drained = proxy.drain(60_000);
  await once(idle, "close");
  held[0]?.();
  expect(await answered).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\nconnection: close/i);
  expect(await drained).toEqual({ cut: 0 });
});
