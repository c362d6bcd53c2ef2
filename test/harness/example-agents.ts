// The example agent, started in copies. In: addresses. Out: their URLs and handles.
import { join } from "node:path";
import { node } from "./gateway.ts";
import { freePort, start, type Child } from "./processes.ts";

const script = join(import.meta.dirname, "../../examples/agent/main.ts");

export interface AgentCopy {
  readonly url: string;
  readonly port: number;
  readonly child: Child;
}

/** Starts one copy and waits until it listens. `host` is an address of the test's own. */
export async function startAgent(name: string, copy: string, host = "127.0.0.1", port?: number): Promise<AgentCopy> {
  const chosen = port ?? (await freePort(host));
  const args = [script, `--host=${host}`, `--port=${chosen}`, `--name=${name}`, `--copy=${copy}`];
  const child = start(node, args, { name: `agent ${name} ${copy}` });
  await child.line(/listening/i);
  return { url: `http://${host}:${chosen}`, port: chosen, child };
}
