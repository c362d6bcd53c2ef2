// A receiver of OTLP over HTTP that takes everything and keeps nothing. In: PORT in the environment. Out: 200 to each request.
import { createServer } from "node:http";

createServer((request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end());
}).listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log("listening"));
