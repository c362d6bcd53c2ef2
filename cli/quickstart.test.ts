// `npm start` as a newcomer runs it: agents, gateway, the command that it prints, Ctrl-C, and what it says when something is in the way.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freePort, start } from "../test/harness/processes.ts";
import type { Child } from "../test/harness/processes.ts";

const script = join(import.meta.dirname, "quickstart.ts");
const shell = promisify(execFile);

async function isOpen(port: number): Promise<boolean> {
  const socket = createConnection(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test("starts everything, the printed command answers, a dead copy is told, and Ctrl-C ends all with exit 0", async () => {
  const port = await freePort();
  const npmStart = start(process.execPath, [script, `--port=${port}`]);
  try {
    await npmStart.line(/^Try/);
    await npmStart.line(/"method":"message\/send"/);
    const output = npmStart.output();
    expect(output).toContain(`http://localhost:${port}/a2a/hello`);
    expect(output).toMatch(/you +sk-1234/);

    const command = output.slice(output.indexOf("  curl"), output.indexOf("}}'") + 3);
    const copies = new Set<string>();
    while (copies.size < 2) {
      const { stdout } = await shell("sh", ["-c", `${command} -sS`]);
      const copy = /Hello from copy ([ab]): Hello/.exec(stdout)?.[1];
      expect(copy).toBeDefined();
      copies.add(copy ?? "");
    }

    const { stdout } = await shell("sh", ["-c", `ps -o pid=,args= --ppid ${npmStart.pid}`]);
    const copyA = /^ *(\d+) .*--copy=a/m.exec(stdout)?.[1];
    process.kill(Number(copyA), "SIGKILL");
    await npmStart.line(/copy a ended \(SIGKILL\)/);
    const left = await shell("sh", ["-c", `${command} -sS`]);
    expect(left.stdout).toContain("Hello from copy b");
  } finally {
    npmStart.signal("SIGINT");
  }
  expect(await npmStart.ended).toBe(0);
  expect(await Promise.all([port, 10_001, 10_002].map(isOpen))).toEqual([false, false, false]);
});

/** The stream of a task that takes an hour, under way; resolves with a function that reads until the connection is closed. */
async function openStream(port: number): Promise<() => Promise<string>> {
  const message = { kind: "message", role: "user", messageId: "1", parts: [{ kind: "text", text: "long 3600" }] };
  const response = await fetch(`http://127.0.0.1:${port}/a2a/hello`, {
    method: "POST",
    headers: { authorization: "Bearer sk-1234", "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "message/stream", params: { message } }),
  });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  return async () => {
    let text = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk);
    } catch {
      // No stream that was cut short is closed as a whole one is.
      return text;
    }
    throw new Error(`the stream came to its end:\n${text}`);
  };
}

/** `npm start` with a stream open, after one Ctrl-C. */
async function startAndStop(): Promise<{ npmStart: Child; rest: () => Promise<string>; ports: readonly number[] }> {
  const port = await freePort();
  const npmStart = start(process.execPath, [script, `--port=${port}`]);
  await npmStart.line(/^Try/);
  const rest = await openStream(port);
  npmStart.signal("SIGINT");
  await npmStart.line(/waiting up to 5 s for 1 open request; a second Ctrl-C ends them at once$/);
  return { npmStart, rest, ports: [port, 10_001, 10_002] };
}

test("Ctrl-C waits for open requests once, however often npm passes it on, and the agents go with the gateway", async () => {
  const { npmStart, rest, ports } = await startAndStop();
  npmStart.signal("SIGINT");
  // What is left then ends with an error of A2A.
  expect(await rest()).toContain('"error"');
  const gone = performance.now();
  expect(await npmStart.ended).toBe(0);
  expect(performance.now() - gone).toBeLessThan(4_000);
  expect(await Promise.all(ports.map(isOpen))).toEqual([false, false, false]);
});

test("a second signal cuts gateway and agents at once", async () => {
  const { npmStart, rest, ports } = await startAndStop();
  npmStart.signal("SIGTERM");
  expect(await rest()).not.toContain('"error"');
  expect(await npmStart.ended).toBe(0);
  expect(await Promise.all(ports.map(isOpen))).toEqual([false, false, false]);
});

test("a taken port is said before anything is started, exit 1", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as { port: number };
  const npmStart = start(process.execPath, [script, `--port=${port}`]);
  expect(await npmStart.ended).toBe(1);
  expect(npmStart.output()).toContain(`port ${port} of 127.0.0.1 is in use`);
  expect(npmStart.output()).toContain("npm start -- --port N");
  holder.close();
});

test("help and bad options", async () => {
  const help = start(process.execPath, [script, "--help"]);
  expect(await help.ended).toBe(0);
  expect(help.output()).toContain("Usage: npm start -- [options]");
  const bad = start(process.execPath, [script, "--port=eighty"]);
  expect(await bad.ended).toBe(2);
  expect(bad.output()).toContain("--port");
});
