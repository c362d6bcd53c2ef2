import { createServer } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { requestHead } from "./request-head.ts";

const plain = { method: "POST", path: "/a?b=c", host: "travel.agents.svc", fields: ["accept", "x/y"], length: 3 };

test("a head has the request line, the host and what was asked for", () => {
  expect(requestHead(plain)).toBe(
    "POST /a?b=c HTTP/1.1\r\nhost: travel.agents.svc\r\nconnection: keep-alive\r\naccept: x/y\r\ncontent-length: 3\r\n\r\n",
  );
});

test("a request without a body says so when its method has one", () => {
  expect(requestHead({ ...plain, length: undefined })).toContain("\r\ncontent-length: 0\r\n");
  expect(requestHead({ ...plain, method: "GET", length: undefined })).not.toContain("content-length");
  expect(requestHead({ ...plain, length: 0 })).toContain("\r\ncontent-length: 0\r\n");
});

test.each([
  ["a method with a blank", { method: "GET /x HTTP/1.1\r\n" }],
  ["an empty method", { method: "" }],
  ["a path that is none", { path: "http://x/" }],
  ["a path with a blank", { path: "/a b" }],
  ["a path with a line break", { path: "/a\r\nX: y" }],
  ["a host with a line break", { host: "a\nX: y" }],
  ["no host", { host: "" }],
  ["another length", { fields: ["Content-Length", "0"] }],
  ["a transfer coding", { fields: ["transfer-encoding", "chunked"] }],
  ["another host", { fields: ["host", "b"] }],
  ["another fate of the connection", { fields: ["connection", "upgrade"] }],
  ["a name with a colon", { fields: ["a:b", "c"] }],
  ["an empty name", { fields: ["", "c"] }],
  ["a value with CR", { fields: ["a", "b\rc"] }],
  ["a value with LF", { fields: ["a", "b\nc"] }],
  ["a value with NUL", { fields: ["a", "b\0c"] }],
  ["a value beyond one octet", { fields: ["a", "\u010d\u010a"] }],
])("%s is not written", (_, bad) => {
  expect(requestHead({ ...plain, ...bad })).toBeUndefined();
});

test("whatever is written is read as one request with these headers", async () => {
  const seen: { url: string | undefined; raw: string[] }[] = [];
  const server = createServer((req, res) => {
    seen.push({ url: req.url, raw: req.rawHeaders });
    req.resume();
    res.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ maxLength: 6 }), fc.string({ unit: "binary", maxLength: 12 }))),
        async (pairs) => {
          const fields = pairs.flatMap(([name, value]) => [`x-${name}`, value]);
          const head = requestHead({ ...plain, fields, length: 0 });
          if (head === undefined) return;
          const before = seen.length;
          const socket = connect(address.port, "127.0.0.1");
          socket.write(head, "latin1");
          socket.resume();
          await once(server, "request");
          socket.destroy();
          expect(seen.length).toBe(before + 1);
          const trimmed = fields.map((text, index) => (index % 2 === 0 ? text : text.replace(/^[\t ]+|[\t ]+$/g, "")));
          expect(seen.at(-1)?.raw.slice(4, -2)).toEqual(trimmed);
        },
      ),
      { numRuns: 200 },
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
