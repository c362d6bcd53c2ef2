// An agent for first-event delay: answers each POST with one event at once and ends. In: PORT. Out: SSE.
import { createServer } from "node:http";

const event = `data: ${JSON.stringify({ jsonrpc: "2.0", id: "1", result: { kind: "status-update", taskId: "t", contextId: "c", status: { state: "completed" }, final: true } })}\n\n`;

createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(event);
  });
}).listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log("listening"));
