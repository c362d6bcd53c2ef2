// The example agent as clients meet it: a process of its own, real SDK clients of both versions, both bindings.
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { SendMessageRequest, TaskState } from "@a2a-js/sdk";
import { ClientFactory } from "@a2a-js/sdk/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { converse } from "../../test/harness/conversation.ts";
import { eventually, start } from "../../test/harness/processes.ts";
import type { Child } from "../../test/harness/processes.ts";

interface Started {
  readonly child: Child;
  readonly url: string;
}

async function startCopy(...args: string[]): Promise<Started> {
  const child = start(process.execPath, [join(import.meta.dirname, "main.ts"), "--port=0", "--pace=5", ...args]);
  const line = await child.line(/listening/);
  return { child, url: /http:\S+/.exec(line)?.[0] ?? "" };
}

const rpc = (method: string, params: unknown): { method: string; headers: Record<string, string>; body: string } => ({
  method: "POST",
  headers: { "content-type": "application/json", authorization: "Bearer agent-side", "x-plain": "shown" },
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
});

const message03 = (text: string, taskId?: string) => ({
  message: { kind: "message", messageId: crypto.randomUUID(), role: "user", parts: [{ kind: "text", text }], taskId },
  configuration: { blocking: !text.startsWith("long") },
});

async function call03(url: string, method: string, params: unknown) {
  const answer = await fetch(url, rpc(method, params));
  return (await answer.json()) as {
    result: { id: string; status: { state: string }; artifacts?: { parts: { text: string }[] }[] };
  };
}

/** An open stream: its first event is here, the rest comes. */
async function openStream(url: string, text: string): Promise<IncomingMessage> {
  const { body, ...options } = rpc("message/stream", message03(text));
  const request = httpRequest(url, options);
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.setEncoding("utf8");
  return response;
}

describe("a running copy", () => {
  let copy: Started;
  beforeAll(async () => {
    copy = await startCopy("--name=hello", "--copy=z", "--show-headers");
  });
  afterAll(async () => {
    await copy.child.stop();
  });

  test.each([
    ["js-1.3", "JSONRPC"],
    ["js-1.3", "HTTP+JSON"],
    ["js-0.3", "JSONRPC"],
    ["js-0.3", "HTTP+JSON"],
  ] as const)("holds a whole conversation with %s over %s", async (sdk, binding) => {
    const seen = await converse(sdk, copy.url, "unused", binding);
    expect(seen.card).toEqual({ name: "hello", url: copy.url });
    expect(seen.hello).toBe("Hello from copy z: hello");
    expect(seen.stream.text).toBe("Copy z streams: one two three");
    expect(seen.stream.events).toBe(6);
    expect(seen.long.polled).toEqual(["working", "working", "working", "working"]);
    expect(seen.long.canceled).toBe("canceled");
    expect(seen.ask).toMatchObject({ asked: "input-required", answered: "completed", sameTask: true });
    expect(seen.ask.text).toContain("blue is a fine choice");
  });

  test("serves its card at both names, hybrid without a version and pure with 1.0", async () => {
    for (const name of ["agent-card.json", "agent.json"]) {
      const old = (await (await fetch(`${copy.url}/.well-known/${name}`)).json()) as Record<string, unknown>;
      expect(old).toMatchObject({ name: "hello", url: copy.url, protocolVersion: expect.stringMatching(/^0\.3/) });
      const answer = await fetch(`${copy.url}/.well-known/${name}`, { headers: { "a2a-version": "1.0" } });
      const card = (await answer.json()) as { url?: string; supportedInterfaces: { protocolVersion: string }[] };
      expect(card.url).toBeUndefined();
      expect(card.supportedInterfaces.map((each) => each.protocolVersion)).toEqual(["1.0", "1.0", "0.3", "0.3"]);
    }
  });

  test("lets a second client subscribe to a running task and both see its end", async () => {
    const client = await new ClientFactory().createFromUrl(`${copy.url}/`);
    const task = await client.sendMessage(
      SendMessageRequest.fromJSON({
        message: { messageId: "m1", role: "ROLE_USER", parts: [{ text: "long" }] },
        configuration: { returnImmediately: true },
      }),
    );
    const id = "id" in task ? task.id : "";
    const states: (TaskState | undefined)[] = [];
    for await (const event of client.resubscribeTask({ tenant: "", id })) {
      if (event.payload?.$case === "task")
        void client.cancelTask({ tenant: "", id, metadata: undefined }).catch(() => undefined);
      if (event.payload?.$case === "statusUpdate") states.push(event.payload.value.status?.state);
    }
    expect(states.at(-1)).toBe(TaskState.TASK_STATE_CANCELED);
  });

  test("cancels a task that waits for an answer", async () => {
    const asked = (await call03(copy.url, "message/send", message03("ask"))).result;
    expect(asked.status.state).toBe("input-required");
    expect((await call03(copy.url, "tasks/cancel", { id: asked.id })).result.status.state).toBe("canceled");
  });

  test("shows headers with credentials hidden", async () => {
    const answer = await call03(copy.url, "message/send", message03("headers"));
    const text = answer.result.artifacts?.[0]?.parts[0]?.text ?? "";
    expect(text).toContain("x-plain: shown");
    expect(text).toContain("authorization: (hidden)");
    expect(text).not.toContain("agent-side");
  });
});

describe("the end of a copy", () => {
  test("does not show headers unless it is switched on", async () => {
    const { child, url } = await startCopy();
    const answer = await call03(url, "message/send", message03("headers"));
    expect(answer.result.artifacts?.[0]?.parts[0]?.text).toBe("Hello from copy a: headers");
    expect(await child.stop()).toBe(0);
  });

  test("SIGTERM lets an open stream run to its end, takes no more connections and exits 0", async () => {
    const { child, url } = await startCopy("--pace=20");
    const begun = performance.now();
    const words = Array.from({ length: 20 }, (_, index) => `w${index}`);
    const response = await openStream(url, `stream ${words.join(" ")}`);
    let text = "";
    response.on("data", (chunk: string) => (text += chunk));
    await once(response, "data");
    child.signal("SIGTERM");
    await once(response, "end");
    expect(text).toContain("w19");
    expect(text).toContain('"completed"');
    expect(await child.ended).toBe(0);
    expect(performance.now() - begun).toBeLessThan(4_000);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  test("SIGTERM with nothing open ends at once, and a task in the background is finished first", async () => {
    const { child, url } = await startCopy();
    const started = performance.now();
    const task = (await call03(url, "message/send", message03("long 1"))).result;
    expect(task.status.state).toBe("working");
    child.signal("SIGTERM");
    expect(await child.ended).toBe(0);
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  test("Ctrl-C that npm passes on as well counts once", async () => {
    const { child, url } = await startCopy("--pace=50");
    const response = await openStream(url, "stream one two three four five six");
    let text = "";
    response.on("data", (chunk: string) => (text += chunk));
    await once(response, "data");
    child.signal("SIGINT");
    await eventually("it drains", () =>
      fetch(url).then(
        () => undefined,
        () => true,
      ),
    );
    child.signal("SIGINT");
    await once(response, "end");
    expect(text).toContain('"completed"');
    expect(await child.ended).toBe(0);
  });

  test("a limit on the drain cuts what does not end", async () => {
    const { child, url } = await startCopy("--drain=0");
    const response = await openStream(url, "long 3600");
    response.on("error", () => undefined).resume();
    await once(response, "data");
    child.signal("SIGTERM");
    expect(await child.ended).toBe(0);
  });

  test("a taken port is said in one line, exit 1", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    const child = start(process.execPath, [join(import.meta.dirname, "main.ts"), `--port=${port}`]);
    expect(await child.ended).toBe(1);
    expect(child.output()).toMatch(
      /^agent hello, copy a: port \d+ is in use: end what listens there, or choose another with --port or --host\n$/,
    );
    holder.close();
  });
});
