import { once } from "node:events";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTls, getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClock } from "../../process/clock.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./certificate.test-support.ts";
import type { Connection } from "./connection.ts";
import { createConnections, type Connections } from "./connections.ts";

let connections: Connections;
const servers: Server[] = [];
const sockets = new Set<Socket>();

beforeEach(() => {
  connections = createConnections({ clock: createClock(), allowed: () => true });
});
afterEach(() => {
  connections.close();
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** An agent that does as told whenever octets of a request come. */
const agent = (onRequest: (socket: Socket) => void): Promise<number> =>
  listening(
    createTcp((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => onRequest(socket));
    }),
  );
const httpAgent = (handler: RequestListener): Promise<number> => listening(createHttp(handler));
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Told {
  readonly connection: Connection;
  readonly events: string[];
  body: string;
  readonly over: Promise<void>;
}

const key = (port: number, more: object = {}) => ({
  origin: `http://127.0.0.1:${port}`,
  connectTimeout: 5000,
  host: undefined,
  judged: false,
  ...more,
});

/** Sends a request over the pool, and gives its connection back or drops it, as a caller does. */
function ask(
  port: number,
  options: { more?: object; body?: Buffer; onData?: (told: Told) => void; method?: string } = {},
): Told {
  const { method = "POST", body = Buffer.from("question") } = options;
  const pool = connections.get(key(port, options.more));
  const connection = pool.take();
  const end = Promise.withResolvers<void>();
  const told: Told = { connection, events: [], body: "", over: end.promise };
  const head = `${method} / HTTP/1.1\r\nhost: ${pool.host}\r\ncontent-length: ${body.length}\r\n\r\n`;
  connection.send(head, body, method === "HEAD", {
    onSent: () => void told.events.push("sent"),
    onHead: ({ status }) => void told.events.push(String(status)),
    onData(chunk) {
      told.body += chunk.toString("latin1");
      options.onData?.(told);
    },
    onEnd() {
      pool.give(connection);
      told.events.push("end");
      end.resolve();
    },
    onError(error) {
      pool.drop(connection);
      told.events.push((error as NodeJS.ErrnoException).code ?? error.message);
      end.resolve();
    },
  });
  return told;
}

async function eventsOf(told: Told): Promise<readonly string[]> {
  await told.over;
  return told.events;
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer";

describe("a request", () => {
  test("is answered, one after the other on the same connection", async () => {
    const ports = new Set<number | undefined>();
    const port = await httpAgent((req, res) => {
      ports.add(req.socket.remotePort);
      req.resume();
      req.on("end", () => res.end("answer"));
    });
    for (let round = 0; round < 5; round++) {
      const told = ask(port);
      expect(await eventsOf(told)).toEqual(["sent", "200", "end"]);
      expect(told.body).toBe("answer");
    }
    expect(ports.size).toBe(1);
  });

  test("of many at once has a connection of its own, and each gets its own answer", async () => {
    const port = await httpAgent((req, res) => {
      let body = "";
      req.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      req.on("end", () => res.end(`re: ${body}`));
    });
    const all = Array.from({ length: 50 }, (_, index) => ask(port, { body: Buffer.from(`no ${index}`) }));
    await Promise.all(all.map(({ over }) => over));
    expect(all.map(({ body }) => body)).toEqual(all.map((_, index) => `re: no ${index}`));
  });

  test("with a body larger than any buffer of the system arrives whole", async () => {
    const body = Buffer.alloc(20 * 1024 * 1024, "x");
    const port = await httpAgent((req, res) => {
      let size = 0;
      req.on("data", (chunk: Buffer) => {
        size += chunk.length;
      });
      req.on("end", () => res.end(String(size)));
    });
    const told = ask(port, { body });
    await told.over;
    expect(told.body).toBe(String(body.length));
    expect(told.connection.closed).toBe(false);
  });

  test("that was answered before it had left costs its connection", async () => {
    const port = await listening(
      createTcp((socket) => {
        socket.on("error", () => {});
        socket.pause();
        socket.write(OK);
      }),
    );
    const told = ask(port, { body: Buffer.alloc(20 * 1024 * 1024) });
    expect(await eventsOf(told)).toEqual(["sent", "200", "end"]);
    expect(told.connection.closed).toBe(true);
  });

  test("of HEAD has no body to wait for", async () => {
    const port = await httpAgent((_req, res) => void res.writeHead(200, { "content-length": "6" }).end());
    expect(await eventsOf(ask(port, { method: "HEAD", body: Buffer.alloc(0) }))).toEqual(["sent", "200", "end"]);
  });
});

describe("an agent that", () => {
  test.each<[string, (socket: Socket) => unknown, readonly string[]]>([
    ["hangs up", (socket) => socket.end(), ["sent", "PARLEY_CLOSED_EARLY"]],
    ["resets", (socket) => socket.resetAndDestroy(), ["sent", "ECONNRESET"]],
    ["hangs up within its answer", (socket) => socket.end(OK.slice(0, -1)), ["sent", "200", "PARLEY_CLOSED_EARLY"]],
    ["talks something else", (socket) => socket.write("SSH-2.0-x\r\n"), ["sent", "PARLEY_BAD_ANSWER"]],
    ["switches protocols", (socket) => socket.write("HTTP/1.1 101 S\r\n\r\n"), ["sent", "PARLEY_BAD_ANSWER"]],
    ["ends its answer with the connection", (socket) => socket.end("HTTP/1.1 200 O\r\n\r\nx"), ["sent", "200", "end"]],
    ["says more than its answer", (socket) => socket.write(`${OK}${OK}`), ["sent", "200", "end"]],
    ["says something before it", (socket) => socket.write(`HTTP/1.1 103 E\r\n\r\n${OK}`), ["sent", "200", "end"]],
  ])("%s", async (_, act, events) => {
    const port = await agent(act);
    expect(await eventsOf(ask(port))).toEqual(events);
    // Whatever became of the connection: the next request is judged on its own.
    expect(await eventsOf(ask(port))).toEqual(events);
  });

  test("is not there was sent nothing", async () => {
    const port = await agent(() => {});
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await eventsOf(ask(port))).toEqual(["ECONNREFUSED"]);
  });

  test("closes an idle connection costs no request", async () => {
    const port = await agent((socket) => {
      socket.end(OK);
    });
    const first = ask(port);
    expect(await eventsOf(first)).toEqual(["sent", "200", "end"]);
    while (!first.connection.closed) await nextTurn();
    expect(await eventsOf(ask(port))).toEqual(["sent", "200", "end"]);
  });

  test("speaks on an idle connection is not listened to there again", async () => {
    const talk: Socket[] = [];
    const port = await agent((socket) => {
      talk.push(socket);
      socket.write(OK);
    });
    const first = ask(port);
    await first.over;
    expect(first.connection.closed).toBe(false);
    talk[0]?.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    while (!first.connection.closed) await nextTurn();
    const second = ask(port);
    await second.over;
    expect(second.body).toBe("answer");
    expect(talk[1]).not.toBe(talk[0]);
  });
});

test("a slow reader stops the agent, and what it sends arrives whole afterwards", async () => {
  const size = 30 * 1024 * 1024;
  let writing: Socket | undefined;
  const port = await agent((socket) => {
    writing = socket;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size, "x"));
  });
  let got = 0;
  const pausedAt: number[] = [];
  const told = ask(port, {
    onData(told) {
      got += told.body.length;
      told.body = "";
      if (pausedAt.length > 0) return;
      pausedAt.push(got);
      told.connection.pause();
    },
  });
  // As many turns as it takes to fill what the system holds, and some more.
  for (let turn = 0; pausedAt.length === 0 || turn < 200; turn++) await nextTurn();
  expect(pausedAt).toEqual([got]);
  expect(writing?.writableLength).toBeGreaterThan(size / 2);
  told.connection.resume();
  expect(await eventsOf(told)).toEqual(["sent", "200", "end"]);
  expect(got).toBe(size);
  expect(told.connection.closed).toBe(false);
});

describe("an end from our side", () => {
  test("before the connection is up sends nothing", async () => {
    const seen: string[] = [];
    const port = await listening(
      createTcp((socket) => {
        socket.on("data", (octets) => seen.push(octets.toString()));
        socket.on("error", () => {});
      }),
    );
    const told = ask(port);
    connections.get(key(port)).drop(told.connection);
    const other = ask(port);
    while (seen.length === 0) await nextTurn();
    connections.get(key(port)).drop(other.connection);
    expect(told.events).toEqual([]);
    expect(seen).toHaveLength(1);
  });

  test("within an answer is noticed by the agent, and nothing more is heard", async () => {
    const closed = Promise.withResolvers<void>();
    const port = await httpAgent((_req, res) => {
      res.on("close", closed.resolve);
      res.write("first");
    });
    const told = ask(port, { onData: (told) => connections.get(key(port)).drop(told.connection) });
    await closed.promise;
    expect(told.events).toEqual(["sent", "200"]);
    expect(told.body).toBe("first");
  });
});

test("a connection that does not come up is given up in time", async () => {
  // TLS with an agent that says nothing.
  const port = await agent(() => {});
  const more = { origin: `https://127.0.0.1:${port}`, connectTimeout: 50 };
  expect(await eventsOf(ask(port, { more }))).toEqual(["PARLEY_CONNECT_TIMEOUT"]);
});

test("a connection that came up while this process had no time is not given up", async () => {
  const port = await agent((socket) => socket.write(OK));
  const told = ask(port, { more: { connectTimeout: 20 } });
  // The system connects after this tick.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const until = performance.now() + 100;
  while (performance.now() < until);
  expect(await eventsOf(told)).toEqual(["sent", "200", "end"]);
});

describe("TLS", () => {
  const trusted = getCACertificates("default");
  afterEach(() => setDefaultCACertificates(trusted));

  async function secureAgent() {
    const names: unknown[] = [];
    const port = await listening(
      createTls({ cert: CERTIFICATE, key: CERTIFICATE_KEY, ALPNProtocols: ["h2", "http/1.1"] }, (socket) => {
        names.push([socket.servername, socket.alpnProtocol]);
        socket.on("error", () => {});
        socket.on("data", () => socket.write(OK));
      }),
    );
    return { port, names, origin: `https://127.0.0.1:${port}` };
  }

  test("needs a certificate that somebody trusted has signed", async () => {
    const { port, origin } = await secureAgent();
    expect(await eventsOf(ask(port, { more: { origin } }))).toEqual(["DEPTH_ZERO_SELF_SIGNED_CERT"]);
  });

  test("is for the server name, or for the address where there is none", async () => {
    setDefaultCACertificates([...trusted, CERTIFICATE]);
    const { port, origin, names } = await secureAgent();
    const named = ask(port, { more: { origin, host: "travel.agents.svc:443" } });
    expect(await eventsOf(named)).toEqual(["sent", "200", "end"]);
    expect(named.body).toBe("answer");
    expect(await eventsOf(ask(port, { more: { origin } }))).toEqual(["sent", "200", "end"]);
    expect(await eventsOf(ask(port, { more: { origin } }))).toEqual(["sent", "200", "end"]);
    expect(names).toEqual([
      ["travel.agents.svc", "http/1.1"],
      [false, "http/1.1"],
    ]);
    expect(await eventsOf(ask(port, { more: { origin, host: "other.agents.svc" } }))).toEqual([
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ]);
  });
});
