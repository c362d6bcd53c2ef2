// Real HTTP servers for tests of discovery. In: what to answer. Out: where they listen, what they were asked.
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export interface TestServer extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly requests: IncomingMessage[];
  /** Requests so far, as "GET /path". */
  asked(): string[];
}

/** Listens on loopback, on a port that the system chooses. */
export async function serve(listener: RequestListener): Promise<TestServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    asked: () => requests.map(({ method, url }) => `${method} ${url}`),
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Answers every request with a card of 1.0 with these members, at once. */
export function serveCard(members: Readonly<Record<string, unknown>> = {}): Promise<TestServer> {
  return serve((_request, response) => response.end(JSON.stringify({ ...CARD, ...members })));
}

export const CARD = {
  name: "Travel",
  version: "1.0.0",
  supportedInterfaces: [{ url: "http://wherever/rpc", protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
};
