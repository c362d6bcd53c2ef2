// `npm start` as a newcomer runs it: two copies of the example agent, the gateway on loopback, every client in docs and examples.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { node } from "../harness/gateway.ts";
import { converse, SDKS } from "../harness/conversation.ts";
import { post, sendBody } from "../harness/calls.ts";
import { start, type Child } from "../harness/processes.ts";
import { pythonWith } from "../harness/python.ts";

const root = join(import.meta.dirname, "../..");
const base = "http://127.0.0.1:4000/a2a/hello";
let gateway: Child;

beforeAll(async () => {
  gateway = start("npm", ["start"], { cwd: root, name: "npm start", group: true });
  await gateway.line(/curl /);
});

afterAll(() => gateway.stop());

test("says what to do next: agents, the key, a command", () => {
  const said = gateway.output();
  expect(said).toContain("/a2a/hello");
  expect(said).toContain("sk-1234");
});

test("curl's way: POST /a2a/{name}/message/send", async () => {
  const seen = new Set<string>();
  for (let i = 0; i < 30; i += 1) {
    const answer = await post(`${base}/message/send`, "sk-1234", sendBody("Hello, what can you do?", `id-${i}`));
    expect(answer.status).toBe(200);
    const { id, result } = JSON.parse(answer.text) as { id: string; result: { kind: string } };
    expect([id, result.kind]).toEqual([`id-${i}`, expect.stringMatching(/^(task|message)$/)]);
    seen.add(/copy ([ab])/.exec(answer.text)?.[1] ?? "?");
  }
  expect([...seen].toSorted()).toEqual(["a", "b"]);
  expect((await post(`${base}/message/send`, "sk-12345", sendBody("hello"))).status).toBe(401);
});

describe.each(SDKS)("%s", (sdk) => {
  test.each(["JSONRPC", "HTTP+JSON"] as const)("holds a whole conversation over %s", async (binding) => {
    const seen = await converse(sdk, base, "sk-1234", binding);
    expect(seen.long.canceled).toBe("canceled");
    expect(seen.ask).toMatchObject({ answered: "completed", sameTask: true });
  });
});

describe("every client in examples/clients", () => {
  const folder = join(root, "examples/clients");
  test.each(readdirSync(folder).filter((file) => /\.(py|ts|js|sh)$/.test(file)))(
    "%s runs as it stands",
    async (file) => {
      const python = file.endsWith(".py")
        ? await pythonWith(/0[._-]?3/.test(file) ? "a2a-sdk-0.3" : "a2a-sdk-1.3")
        : "";
      const command = file.endsWith(".py") ? python : file.endsWith(".sh") ? "bash" : node;
      const client = start(command, [join(folder, file)], { name: file });
      expect([await client.ended, client.output()]).toEqual([0, expect.stringMatching(/copy [ab]/i)]);
    },
  );
});

test("sk-1234 is refused on a listener that is not loopback", async () => {
  const open = start(
    node,
    [
      join(root, "cli/main.ts"),
      "serve",
      join(root, "examples/quickstart"),
      "--listen=0.0.0.0:4011",
      "--public-url=http://gateway.example.com",
    ],
    { name: "parley serve" },
  );
  await open.line(/32 characters/);
  await open.line(/ serves /);
  expect((await post("http://127.0.0.1:4011/a2a/hello", "sk-1234", sendBody("hello"))).status).toBe(401);
  await open.stop();
});

test("Ctrl-C stops everything", async () => {
  const second = start("npm", ["start", "--", "--port=4020"], { cwd: root, name: "npm start", group: true });
  await second.ended;
  // The first one holds the agents' ports: the second says so instead of failing later.
  expect(second.output()).toMatch(/port 1000[12]/);
  gateway.signal("SIGINT");
  // What npm itself ends with is npm's: it takes the signal as its own end.
  await gateway.ended;
  await expect(fetch("http://127.0.0.1:10001/.well-known/agent-card.json")).rejects.toThrow(/fetch failed/);
});
