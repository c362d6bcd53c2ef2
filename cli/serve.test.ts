// `parley serve` as a person runs it: a real process over a real folder, a real agent behind it, real requests.
import { once } from "node:events";
import { mkdtemp, rename, rm, unlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { freePort, start } from "../test/harness/processes.ts";
import type { Child } from "../test/harness/processes.ts";

const main = join(import.meta.dirname, "main.ts");
const LONG = "sk-0123456789012345678901234567890123456789";

let agent: Child;
let agentUrl: string;
let root: string;
let running: Child | undefined;

beforeAll(async () => {
  const script = join(import.meta.dirname, "../examples/agent/main.ts");
  agent = start(process.execPath, [script, "--port=0", "--copy=t", "--pace=10", "--drain=0"]);
  agentUrl = /http:\S+/.exec(await agent.line(/listening/))?.[0] ?? "";
});
afterAll(() => agent.stop());
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "parley-serve-"));
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await rm(root, { recursive: true, force: true });
});

const agentYaml = (name: string, url: string = agentUrl, more = "") =>
  `apiVersion: parley.dev/v1alpha1\nkind: A2AAgent\nmetadata: { name: ${name} }\nspec:\n  backends:\n    - name: one\n      url: ${url}\n${more}`;
const keyYaml = (name: string, token: string, ofAgent = "hello", more = "") =>
  `apiVersion: parley.dev/v1alpha1\nkind: VirtualKey\nmetadata: { name: ${name} }\nspec:\n  secretRef: { name: ${name}-key, key: token }\n  agents: [{ name: ${ofAgent} }]\n${more}---\napiVersion: v1\nkind: Secret\nmetadata: { name: ${name}-key, labels: { parley.dev/credential: key } }\nstringData: { token: ${token} }\n`;
const put = (name: string, text: string): Promise<void> => writeFile(join(root, name), text);

interface Gateway {
  readonly child: Child;
  readonly url: string;
}

async function serve(...args: string[]): Promise<Gateway> {
  const port = await freePort();
  const child = start(process.execPath, [main, "serve", root, `--listen=127.0.0.1:${port}`, ...args]);
  running = child;
  await child.line(/^Keys/);
  return { child, url: `http://127.0.0.1:${port}` };
}

const body = (text: string, method = "message/send"): string =>
  JSON.stringify({
    jsonrpc: "2.0",
    id: "1",
    method,
    params: { message: { role: "user", messageId: crypto.randomUUID(), parts: [{ kind: "text", text }] } },
  });
const post = (url: string, token: string, text = "hi", method?: string): Promise<Response> =>
  fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body(text, method),
  });
/** The process has said this so many times. */
const said = async ({ child }: Gateway, pattern: RegExp): Promise<string> => child.line(pattern);

test("answers through the folder's agent and key, logs one JSON line a request, and ends with exit 0", async () => {
  await put("a.yaml", agentYaml("hello"));
  await put("k.yaml", keyYaml("me", LONG, "hello", '  owner: { user: "u@x" }\n'));
  const gateway = await serve();
  const answer = await post(`${gateway.url}/a2a/hello/message/send`, LONG);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain("Hello from copy t: hi");
  const line = JSON.parse(await said(gateway, /"msg":"request"/)) as Record<string, unknown>;
  expect(line).toMatchObject({ agent: "default/hello", key: "default/me", user: "u@x", outcome: "ok", backend: "one" });
  expect((await post(`${gateway.url}/a2a/hello`, "sk-wrong")).status).toBe(401);
  expect(await gateway.child.stop()).toBe(0);
  expect(gateway.child.output()).not.toContain(LONG);
  expect(gateway.child.output()).toContain("fingerprint");
});

describe("changes of the folder", () => {
  test("an added agent, an edited key and a removed file count at once", async () => {
    await put("k.yaml", keyYaml("me", LONG));
    const gateway = await serve();
    expect((await post(`${gateway.url}/a2a/hello`, LONG)).status).toBe(404);
    await put("a.yaml", agentYaml("hello"));
    await said(gateway, /1 problem solved/);
    expect((await post(`${gateway.url}/a2a/hello`, LONG)).status).toBe(200);
    await put("k.yaml", keyYaml("me", LONG, "hello", "  disabled: true\n"));
    await said(gateway, /Disabled/);
    expect((await post(`${gateway.url}/a2a/hello`, LONG)).status).toBe(401);
    await unlink(join(root, "a.yaml"));
    await said(gateway, /No such agent: hello/);
  });

  test("an edit that is not valid is told with its place, and what was last valid answers on", async () => {
    await put("a.yaml", agentYaml("hello"));
    await put("k.yaml", keyYaml("me", LONG));
    const gateway = await serve();
    await put("a.yaml", agentYaml("hello", "ftp://x"));
    expect(await said(gateway, /a\.yaml:7:12: error/)).toContain("A2AAgent default/hello: spec.backends[0].url: ");
    await said(gateway, /warning: A2AAgent default\/hello: stays in use as it was last valid/);
    expect((await post(`${gateway.url}/a2a/hello`, LONG)).status).toBe(200);
    await put("a.yaml", "kind: [");
    await said(gateway, /a\.yaml:1:\d+: error: /);
    expect((await post(`${gateway.url}/a2a/hello`, LONG)).status).toBe(200);
    await put("a.yaml", agentYaml("hello"));
    await said(gateway, /problems? solved, 0 left/);
  });

  test("a folder that goes away is told, and what it held answers on", async () => {
    await put("a.yaml", agentYaml("hello"));
    await put("k.yaml", keyYaml("me", LONG));
    const gateway = await serve();
    await rename(root, `${root}-away`);
    await said(gateway, /cannot be read \(ENOENT\)/);
    expect((await post(`${gateway.url}/a2a/hello`, LONG)).status).toBe(200);
    await rename(`${root}-away`, root);
  });

  test("a revoked key ends its open stream", async () => {
    await put("a.yaml", agentYaml("hello"));
    await put("k.yaml", keyYaml("me", LONG));
    const gateway = await serve();
    const answer = await post(`${gateway.url}/a2a/hello`, LONG, "long 3600", "message/stream");
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain("working");
    await unlink(join(root, "k.yaml"));
    let text = "";
    // The connection is cut after the event, so that nobody takes the end for a good one.
    const rest = async (): Promise<void> => {
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) text += part.value;
    };
    await rest().catch(() => undefined);
    expect(text).toContain("event: error");
    expect(text).toContain("revoked");
  });
});

describe("the key that everybody knows", () => {
  test("opens a listener on loopback, and is printed", async () => {
    await put("a.yaml", agentYaml("hello"));
    await put("k.yaml", keyYaml("me", "sk-1234"));
    const gateway = await serve();
    expect((await post(`${gateway.url}/a2a/hello`, "sk-1234")).status).toBe(200);
    await gateway.child.line(/^ {2}me +sk-1234$/);
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === "IPv4" && !each.internal)?.address;

  test.each(["0.0.0.0", ...(outside === undefined ? [] : [outside])])("is refused on %s", async (host) => {
    await put("a.yaml", agentYaml("hello"));
    await put("k.yaml", keyYaml("me", "sk-1234"));
    const port = await freePort(host);
    const args = [main, "serve", root, `--listen=${host}:${port}`, "--public-url=http://gateway.test"];
    running = start(process.execPath, args);
    expect(await running.line(/TokenTooShort/)).toContain("VirtualKey default/me");
    await running.line(/^Keys/);
    const reached = host === "0.0.0.0" ? "127.0.0.1" : host;
    expect((await post(`http://${reached}:${port}/a2a/hello`, "sk-1234")).status).toBe(401);
    expect(running.output()).not.toMatch(/me +sk-1234/);
  });
});

describe("findings in words of people", () => {
  test("what is missing or cannot be reached is a warning at the object's place", async () => {
    const closed = await freePort();
    await put("a.yaml", agentYaml("hello", `http://127.0.0.1:${closed}`));
    await put("b.yaml", agentYaml("meta", "http://169.254.169.254"));
    await put("c.yaml", agentYaml("pods").replace(/url: .*/, "service: { name: pods, port: http }"));
    const gateway = await serve();
    expect(await said(gateway, /CardUnreachable/)).toContain("a.yaml:4:1: warning: A2AAgent default/hello: ");
    expect(await said(gateway, /UpstreamRefused/)).toContain("b.yaml:4:1: warning: A2AAgent default/meta: ");
    expect(await said(gateway, /ServiceNotFound/)).toContain("c.yaml:4:1: warning: A2AAgent default/pods: ");
  });
});

describe("the start", () => {
  test("a folder that is not there, a file for a folder, bad options: exit 2", async () => {
    await put("a.yaml", "");
    for (const [args, message] of [
      [[join(root, "no")], "there is no such folder"],
      [[join(root, "a.yaml")], "is a file"],
      [[root, "--listen=0.0.0.0:0"], "--public-url"],
      [[root, "--listen=nonsense", "--drain-timeout=5"], "--listen: "],
      [[], "DIR is missing"],
    ] as const) {
      const child = start(process.execPath, [main, "serve", ...args]);
      expect(await child.ended).toBe(2);
      expect(child.output()).toContain(message);
    }
  });

  test.each(["--listen", "--admin-listen"])("a taken port of %s is said in one line; exit 1", async (option) => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    const listen = option === "--listen" ? [] : [`--listen=127.0.0.1:${await freePort()}`];
    // The log of requests, which is kept unless told otherwise, does not hold the process.
    const args = [...listen, `${option}=127.0.0.1:${port}`, `--request-log=${join(root, "requests.db")}`];
    running = start(process.execPath, [main, "serve", root, ...args]);
    expect(await running.ended).toBe(1);
    expect(running.output()).toBe(
      `parley serve: 127.0.0.1:${port} is in use: end what listens there, or choose another with ${option}\n`,
    );
    holder.close();
  });

  test("an empty folder is served and says what to add; the admin listener is there when asked for", async () => {
    const admin = await freePort();
    const gateway = await serve(`--admin-listen=127.0.0.1:${admin}`);
    await gateway.child.line(/add an A2AAgent to the folder/);
    expect((await fetch(`http://127.0.0.1:${admin}/readyz`)).status).toBe(200);
    expect(await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()).toContain("parley_table_rows");
  });
});

test("SIGTERM lets an open stream end, and a second signal does not wait", async () => {
  await put("a.yaml", agentYaml("hello"));
  await put("k.yaml", keyYaml("me", LONG));
  const gateway = await serve();
  const words = Array.from({ length: 30 }, (_, index) => `w${index}`).join(" ");
  const answer = await post(`${gateway.url}/a2a/hello`, LONG, `stream ${words}`, "message/stream");
  gateway.child.signal("SIGTERM");
  const text = await answer.text();
  expect(text).toContain("w29");
  expect(text).toContain('"completed"');
  expect(await gateway.child.ended).toBe(0);

  const hasty = await serve();
  await post(`${hasty.url}/a2a/hello`, LONG, "long 3600", "message/stream");
  hasty.child.signal("SIGTERM");
  await said(hasty, /waiting up to 10 s for 1 open request; a second Ctrl-C ends them at once$/);
  hasty.child.signal("SIGINT");
  expect(await hasty.child.ended).toBe(130);
});
