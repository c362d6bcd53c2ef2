// The floor: the least that a Node proxy can do. Bare node:http in, undici dispatch with raw handlers out; no key, no reading
// of the body, no log. In: PORT and UPSTREAM in the environment. Out: what the upstream said.
import { createServer } from "node:http";
import { Pool } from "undici";

const upstream = new Pool(process.env["UPSTREAM"] ?? "", { pipelining: 1, keepAliveTimeout: 3_000 });

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const [first] = chunks;
    upstream.dispatch(
      {
        method: request.method ?? "GET",
        path: request.url ?? "/",
        headers: ["content-type", request.headers["content-type"] ?? "application/json"],
        body: chunks.length > 1 ? Buffer.concat(chunks) : (first ?? null),
      },
      {
        onRequestStart() {
          // undici asks for it.
        },
        onResponseStart(_controller, status, headers) {
          const kept: string[] = [];
          for (const name of ["content-type", "content-length"]) {
            const value = headers[name];
            if (typeof value === "string") kept.push(name, value);
          }
          response.writeHead(status, kept);
        },
        onResponseData(_controller, chunk) {
          response.write(chunk);
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.destroy();
        },
      },
    );
  });
}).listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log("listening"));
