// The agent behind the proxies: answers every POST with one fixed message and every GET with its card. In: PORT. Out: JSON.
import { createServer } from "node:http";

const url = `http://127.0.0.1:${process.env["PORT"]}/`;
const card = JSON.stringify({
  name: "bench",
  description: "Answers at once.",
  version: "1.0.0",
  protocolVersion: "0.3.0",
  url,
  preferredTransport: "JSONRPC",
  capabilities: { streaming: false },
  defaultInputModes: ["text/plain"],
  defaultOutputModes: ["text/plain"],
  skills: [],
});
const answer = JSON.stringify({
  jsonrpc: "2.0",
  id: "1",
  result: { kind: "message", role: "agent", messageId: "a", parts: [{ kind: "text", text: "hello" }] },
});

createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(200, { "content-type": "application/json", etag: '"1"' });
    response.end(request.method === "POST" ? answer : card);
  });
}).listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log("listening"));
