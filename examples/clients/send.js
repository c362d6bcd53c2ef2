// Sends a message and streams an answer through Parley with the JavaScript SDK 1.x.
// npm install @a2a-js/sdk; then: node send.js
import { randomUUID } from "node:crypto";
import { SendMessageRequest, StreamResponse } from "@a2a-js/sdk";
import { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory } from "@a2a-js/sdk/client";

const url = process.env.PARLEY_URL ?? "http://localhost:4000";
const key = process.env.PARLEY_KEY ?? "sk-1234";
const agent = process.env.PARLEY_AGENT ?? "hello";

/** A fetch that shows the key. */
const fetchImpl = (input, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${key}`);
  return fetch(input, { ...init, headers });
};
const factory = new ClientFactory({
  transports: [new JsonRpcTransportFactory({ fetchImpl })],
  cardResolver: new DefaultAgentCardResolver({ fetchImpl }),
});
// The slash at the end keeps the agent's name when the SDK looks for the card below it.
const client = await factory.createFromUrl(`${url}/a2a/${agent}/`);

const say = (text) =>
  SendMessageRequest.fromJSON({ message: { messageId: randomUUID(), role: "ROLE_USER", parts: [{ text }] } });

console.dir(await client.sendMessage(say("Hello, who are you?")), { depth: null });
for await (const event of client.sendMessageStream(say("stream these words one by one"))) {
  console.log(JSON.stringify(StreamResponse.toJSON(event)));
}
