// What the example agent says of itself. In: its name, its base URL, which copy it is. Out: an agent card with both versions.
import type { AgentCard } from "@a2a-js/sdk";
import { duplicateInterfacesForLegacy } from "@a2a-js/sdk/compat/v0_3";

export interface Identity {
  readonly name: string;
  /** Tells copies of one agent apart: "a", "b". */
  readonly copy: string;
}

const TEXT = "text/plain";

function skill(id: string, description: string, example: string): AgentCard["skills"][number] {
  return {
    id,
    name: id,
    description,
    tags: ["example"],
    examples: [example],
    inputModes: [TEXT],
    outputModes: [TEXT],
    securityRequirements: [],
  };
}

/** Both bindings stand at the base URL, in 1.0 and in 0.3; 0.3 clients of HTTP+JSON add `/v1` themselves. */
export function makeCard({ name }: Identity, url: string): AgentCard {
  const bindings = ["JSONRPC", "HTTP+JSON"];
  return {
    name,
    description: "An example agent: it answers, streams, works for a while, and asks back.",
    version: "1.0.0",
    provider: undefined,
    supportedInterfaces: duplicateInterfacesForLegacy(
      bindings.map((protocolBinding) => ({ url, protocolBinding, tenant: "", protocolVersion: "1.0" })),
      bindings,
    ),
    capabilities: { streaming: true, pushNotifications: false, extendedAgentCard: false, extensions: [] },
    securitySchemes: {},
    securityRequirements: [],
    defaultInputModes: [TEXT],
    defaultOutputModes: [TEXT],
    skills: [
      skill("answer", "Answers at once and says which copy of the agent it is.", "Hello"),
      skill("stream", "Sends the text back word by word.", "stream one two three"),
      skill("long", "Works for a while; the task can be polled, cancelled and subscribed to.", "long"),
      skill("ask", "Asks a question back and waits for the answer.", "ask"),
    ],
    signatures: [],
  };
}
