// `parley logs` over the request log of a real `parley serve`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, start } from "../test/harness/processes.ts";
import { type Served, type SmallAgent, serveManifests, startSmallAgent } from "../test/harness/telemetry.ts";
import type { Io } from "./io.ts";
import { logs } from "./logs.ts";

const TOKEN = "sk-0123456789012345678901234567890123456789";
let folder: string;
let file: string;
let agent: SmallAgent;
let served: Served;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-logs-"));
  file = join(folder, "requests.db");
  agent = await startSmallAgent((_body, res) => {
    res.writeHead(200, { "content-type": "application/json" });
    res.end(
      JSON.stringify({ jsonrpc: "2.0", id: 1, result: { kind: "message", role: "agent", messageId: "m", parts: [] } }),
    );
  });
  served = await serveManifests(
    folder,
    `{ apiVersion: parley.dev/v1alpha1, kind: A2AAgent, metadata: { name: travel }, spec: { backends: [{ name: main, url: "http://127.0.0.1:${agent.port}/" }], pricing: { perRequest: "0.1" } } }
---
{ apiVersion: parley.dev/v1alpha1, kind: VirtualKey, metadata: { name: alice }, spec: { secretRef: { name: s, key: token }, owner: { team: red }, agents: [{ name: travel }] } }
---
{ apiVersion: v1, kind: Secret, metadata: { name: s, labels: { parley.dev/credential: key } }, stringData: { token: ${TOKEN} } }
`,
    { args: [`--request-log=${file}`] },
  );
});
afterAll(async () => {
  await served.stop();
  await agent.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(path: string, token = TOKEN): Promise<void> {
  const params = { message: { role: "user", kind: "message", messageId: "m", parts: [{ kind: "text", text: "hi" }] } };
  await fetch(`${served.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "message/send", params }),
  });
}

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...argv: string[]): Promise<Said> {
  return runOn(file, ...argv);
}

async function runOn(from: string, ...argv: string[]): Promise<Said> {
  let out = "";
  let err = "";
  const io: Io = {
    env: {},
    out: (text) => (out += text),
    err: (text) => (err += text),
    outIsTerminal: false,
    errIsTerminal: false,
    outColours: false,
    errColours: false,
    readStdin: () => Promise.resolve(""),
    version: "1",
  };
  const code = await logs([`--request-log=${from}`, ...argv], io);
  return { code, out, err };
}

test("shows, filters and sums what was asked; -f goes on", async () => {
  for (let at = 0; at < 3; at++) await ask("/a2a/travel");
  await ask("/a2a/travel", "sk-wrong");
  await eventually("all are kept", async () =>
    (await run("--output=json")).out.split("\n").length === 5 ? true : undefined,
  );

  expect(await run("--team=nobody")).toMatchObject({ code: 0, out: "", err: "no such request is kept\n" });
  const text = await run("--team=red");
  expect(text.out.split("\n")).toHaveLength(4);
  expect(text.out).toMatch(/200 {2}travel {2}SendMessage .* key alice/);
  const [refused] = (await run("--outcome=refused", "--output=json")).out.split("\n");
  expect(JSON.parse(refused ?? "")).toMatchObject({ reason: "Unauthenticated", status: 401 });
  expect((await run("--agent=travel", "--limit=2", "--output=json")).out.trim().split("\n")).toHaveLength(2);
  expect((await run("--since=0s", "--output=json")).out).toBe("");
  const sums = (await run("--sum=key", "--output=json")).out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  expect(sums).toMatchObject([
    { key: "default/alice", requests: 3, failed: 0, cost: "0.3" },
    { key: "", requests: 1, failed: 1, cost: "0" },
  ]);
  expect((await run("--sum=team")).out).toMatch(
    /^team +requests +failed +cost +mean ms\nred +3 +0 +0\.3 +[\d.]+\n- +1 +1 +0 +[\d.]+\n$/,
  );

  const following = start(process.execPath, [
    join(import.meta.dirname, "main.ts"),
    "logs",
    "-f",
    "--limit=1",
    `--request-log=${file}`,
  ]);
  try {
    await following.line(/Unauthenticated/);
    await ask("/a2a/travel");
    expect(await following.line(/200 {2}travel/)).toContain("SendMessage");
  } finally {
    await following.stop();
  }
});

test("says what is missing", async () => {
  const { code, err } = await runOn(join(folder, "none.db"));
  expect(code).toBe(1);
  expect(err).toContain("is no request log");
  expect((await run("--sum=colour")).code).toBe(2);
});
