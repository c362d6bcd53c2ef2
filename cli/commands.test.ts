// `parley`, `parley check` and `parley key` as a person runs them: real processes, their output, files and exit codes.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "parley-cli-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function parley(args: readonly string[], options: { stdin?: string; env?: Record<string, string> } = {}) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    cwd: root,
    env: { PATH: process.env["PATH"], ...options.env },
  });
  child.stdin.end(options.stdin ?? "");
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", resolve);
  });
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { out, err, code };
}

const agent = (name: string, url = "http://127.0.0.1:1") =>
  `apiVersion: parley.dev/v1alpha1\nkind: A2AAgent\nmetadata:\n  name: ${name}\nspec:\n  backends:\n    - name: one\n      url: ${url}\n`;
const key = (name: string, ofAgent: string, secret = `${name}-key`) =>
  `apiVersion: parley.dev/v1alpha1\nkind: VirtualKey\nmetadata: { name: ${name} }\nspec:\n  secretRef: { name: ${secret}, key: token }\n  agents: [{ name: ${ofAgent} }]\n`;
const secret = (name: string, token: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name}, labels: { parley.dev/credential: key } }\nstringData: { token: ${token} }\n`;
const LONG = "sk-0123456789012345678901234567890123456789";

describe("parley", () => {
  test("without a command: help and exit 2; with --help: help and exit 0", async () => {
    expect(await parley([])).toMatchObject({ code: 2, out: "", err: expect.stringContaining("parley COMMAND") });
    expect(await parley(["--help"])).toMatchObject({ code: 0, err: "", out: expect.stringContaining("serve") });
    expect(await parley(["--version"])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  test.each(["serve", "check", "key", "confirm", "logs", "status"])(
    "%s --help, and help before it, tell its options",
    async (command) => {
      const direct = await parley([command, "--help"]);
      expect(direct).toMatchObject({ code: 0, err: "", out: expect.stringContaining(`Usage: parley ${command}`) });
      expect(await parley(["help", command])).toEqual(direct);
    },
  );

  test("an unknown command: what was meant, exit 2", async () => {
    expect(await parley(["chekc"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("did you mean parley check?"),
    });
    expect(await parley(["constructor"])).toMatchObject({ code: 2, err: expect.stringContaining("see parley --help") });
    expect(await parley(["help", "sevre"])).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("did you mean parley serve?"),
    });
  });

  test("bad options: all faults at once, exit 2", async () => {
    const { code, err } = await parley(["check", "--fromat=json", "--strict=maybe"]);
    expect(code).toBe(2);
    expect(err).toContain("did you mean --format?");
    expect(err).toContain("--strict");
    expect(err).toContain("FILE|DIR… is missing");
  });
});

describe("parley check", () => {
  test("the quickstart is valid", async () => {
    const folder = join(import.meta.dirname, "../examples/quickstart");
    expect(await parley(["check", folder])).toEqual({ code: 0, err: "", out: "valid: 2 files, 3 objects, 0 errors\n" });
  });

  test("a fault: file, line, column, object, field and what to write; exit 1; no colours in a pipe", async () => {
    await writeFile(join(root, "a.yaml"), agent("hello", "ftp://x"));
    const { code, out } = await parley(["check", "a.yaml"], { env: { TERM: "xterm-256color" } });
    expect(code).toBe(1);
    expect(out).toMatch(
      /^a\.yaml:8:12: error: A2AAgent default\/hello: spec\.backends\[0\]\.url: \S.*\nnot valid: 1 file/,
    );
  });

  test("what stands together is judged together", async () => {
    await writeFile(join(root, "a.yaml"), `${agent("hello")}---\n${key("me", "helo")}`);
    const warned = await parley(["check", "a.yaml"]);
    expect(warned.code).toBe(0);
    expect(warned.out).toContain("No such agent: helo.");
    expect(warned.out).toContain("No Secret me-key");
    expect((await parley(["check", "--strict", "a.yaml"])).code).toBe(1);
    await writeFile(join(root, "b.yaml"), `${secret("me-key", LONG)}---\n${agent("helo")}`);
    expect(await parley(["check", "--strict", "."])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^valid: 2 files/),
    });
  });

  test("a key that has expired, and one that may call nobody, are warnings", async () => {
    const plain = "apiVersion: parley.dev/v1alpha1\nkind: VirtualKey\nmetadata: { name: NAME }\nspec:\n";
    const expired = `${plain.replace("NAME", "old")}  expiresAt: 2020-01-01T00:00:00Z\n  agents: [{ name: hello }]\n`;
    const idle = `${plain.replace("NAME", "idle")}  agents: []\n`;
    await writeFile(join(root, "a.yaml"), [agent("hello"), expired, idle].join("---\n"));
    const { code, out } = await parley(["check", "a.yaml"]);
    expect([code, out.match(/warning: /g)?.length]).toEqual([0, 2]);
    expect(out).toMatch(/^a\.yaml:\d+:1: warning: VirtualKey default\/old: The key expired at 2020-\S+: .*Expired/m);
    expect(out).toMatch(/^a\.yaml:\d+:3: warning: VirtualKey default\/idle: spec\.agents: names no agent/m);
    expect((await parley(["check", "--strict", "a.yaml"])).code).toBe(1);
  });

  test("a Secret of an agent is missed always, a Service only when it is strict; both are found beside it", async () => {
    const credentials = "  credentials: [{ header: authorization, secretRef: { name: up, key: t } }]\n";
    const inside = agent("in").replace("url: http://127.0.0.1:1", "service: { name: svc, port: 80 }");
    await writeFile(join(root, "a.yaml"), `${inside}${credentials}`);
    const lax = await parley(["check", "a.yaml"]);
    expect(lax).toMatchObject({ code: 0, out: expect.stringContaining("no Secret up") });
    expect(lax.out).not.toContain("Service");
    const strict = await parley(["check", "--strict", "a.yaml"]);
    expect(strict).toMatchObject({ code: 1, out: expect.stringMatching(/no Service svc\..*no Secret up/) });
    const upstream = secret("up", LONG).replace("credential: key", "credential: upstream").replace("token:", "t:");
    const service = "apiVersion: v1\nkind: Service\nmetadata: { name: svc }\nspec: { ports: [{ port: 80 }] }\n";
    await writeFile(join(root, "b.yaml"), `${upstream}---\n${service}`);
    expect((await parley(["check", "--strict", "."])).code).toBe(0);
    await writeFile(join(root, "b.yaml"), `${upstream}---\n${service.replace("80", "81")}`);
    expect((await parley(["check", "."])).out).toContain("PortNotFound");
  });

  test("npm run parley: paths are those of the caller", async () => {
    await mkdir(join(root, "mine"));
    await writeFile(join(root, "mine/a.yaml"), agent("hello"));
    const env = { npm_lifecycle_event: "parley", npm_package_name: "parley", INIT_CWD: join(root, "mine") };
    expect((await parley(["check", "a.yaml"], { env })).code).toBe(0);
    expect((await parley(["check", "a.yaml"], { env: { INIT_CWD: env.INIT_CWD } })).code).toBe(1);
  });

  test("what only a cluster can know is no warning: the Secret that the operator makes, labels of Namespaces", async () => {
    const plain = "apiVersion: parley.dev/v1alpha1\nkind: VirtualKey\nmetadata: { name: alice, namespace: b }\nspec:\n";
    const open = "  allowedKeys: { namespaces: { from: Selector, selector: { matchLabels: { team: x } } } }\n";
    const shared = agent("hello").replace("name: hello", "name: hello\n  namespace: a");
    await writeFile(join(root, "a.yaml"), `${shared}${open}---\n${plain}  agents: [{ name: hello, namespace: a }]\n`);
    expect(await parley(["check", "--strict", "a.yaml"])).toEqual({
      code: 0,
      err: "",
      out: "valid: 1 file, 2 objects, 0 errors\n",
    });
    await writeFile(join(root, "b.yaml"), `${shared}---\n${plain}  agents: [{ name: hello, namespace: a }]\n`);
    const closed = await parley(["check", "--strict", "b.yaml"]);
    expect([closed.code, closed.out.includes("NotAdmitted")]).toEqual([1, true]);
  });

  test("one token for two keys, a short token and a double are errors; the token is never shown", async () => {
    await writeFile(join(root, "a.yaml"), [agent("x"), key("one", "x"), secret("one-key", LONG)].join("---\n"));
    await writeFile(join(root, "b.yaml"), [key("two", "x"), secret("two-key", LONG), agent("x")].join("---\n"));
    await writeFile(join(root, "c.yaml"), [key("weak", "x"), secret("weak-key", "sk-hunter2")].join("---\n"));
    const { code, out } = await parley(["check", "."]);
    expect(code).toBe(1);
    expect(out).toContain("DuplicateKey");
    expect(out).toContain("TokenTooShort");
    expect(out).toContain("b.yaml:13:1: error: A2AAgent default/x: stands in a.yaml:1 already");
    expect(out).not.toMatch(/hunter2|sk-0123/);
  });

  test("standard input, and json for programs", async () => {
    const { code, out } = await parley(["check", "--format=json", "-"], { stdin: agent("hello", "ftp://x") });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      valid: false,
      errors: 1,
      problems: [{ file: "-", line: 8, column: 12, object: "A2AAgent default/hello", path: "spec.backends[0].url" }],
    });
  });

  test("files that are not there, empty folders and broken YAML are errors", async () => {
    await mkdir(join(root, "empty"));
    await writeFile(join(root, "broken.yaml"), "a: [");
    const { code, out } = await parley(["check", "nope.yaml", "empty", "broken.yaml"]);
    expect(code).toBe(1);
    expect(out).toContain("nope.yaml:1:1: error: there is no such file");
    expect(out).toContain("empty:1:1: error: holds no .yaml, .yml or .json file");
    expect(out).toContain("broken.yaml:");
  });

  test("a template is said to be one, without a warning of the runtime", async () => {
    const { code, out, err } = await parley(["check", "-"], { stdin: agent("{{ .Values.name }}") });
    expect([code, err]).toEqual([1, ""]);
    expect(out).toMatch(
      /^-:4:\d+: error: .*\{\{ \}\} has to be rendered first.*\nnot valid: 1 file, 0 objects, 1 error\n$/,
    );
  });

  test("what an author writes cannot move the terminal", async () => {
    await writeFile(join(root, "a.yaml"), 'apiVersion: v1\nkind: "x\\e[2J\\u202ey"\n');
    const { out } = await parley(["check", "a.yaml"]);
    expect(out).toContain("x\\u001b[2J\\u202ey");
  });
});

describe("parley key", () => {
  test("manifests on standard output, the token once on standard error; both judge as valid", async () => {
    const { code, out, err } = await parley([
      "key",
      "alice",
      "--agent=hello,shared/search",
      "--user=a@x",
      "--expires=720h",
    ]);
    expect(code).toBe(0);
    const [virtualKey, made] = parseAllDocuments(out).map((each) => each.toJS() as Record<string, unknown>);
    const { token } = (made ?? {})["stringData"] as { token: string };
    expect(virtualKey).toMatchObject({
      metadata: { name: "alice" },
      spec: {
        secretRef: { name: "alice-key", key: "token" },
        owner: { user: "a@x" },
        agents: [{ name: "hello" }, { namespace: "shared", name: "search" }],
        expiresAt: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/),
      },
    });
    expect(token).toMatch(/^sk-[A-Za-z0-9_-]{43}$/);
    expect(err).toContain(token);
    const checked = await parley(["check", "-"], { stdin: out });
    expect(checked).toMatchObject({ code: 0, out: expect.stringContaining("valid: 1 file, 2 objects") });
  });

  test("variables of the environment, as the example clients have them, are none of its options", async () => {
    const env = { PARLEY_AGENT: "http://localhost:4000/a2a/hello", PARLEY_FORMAT: "nonsense" };
    const { code, out } = await parley(["key", "a"], { env });
    expect([code, out.includes("localhost")]).toEqual([0, false]);
    expect((await parley(["check", "-"], { stdin: agent("hello"), env })).code).toBe(0);
  });

  test("two keys are never the same", async () => {
    const [one, two] = await Promise.all([parley(["key", "a"]), parley(["key", "a"])]);
    expect(one.out).not.toBe(two.out);
  });

  test("--out writes a file for its owner alone, and never over one that is there", async () => {
    const first = await parley(["key", "alice", "--out=keys/new", "--namespace=team"]);
    expect(first).toMatchObject({ code: 0, out: "keys/new/alice-key.yaml\n" });
    const file = join(root, "keys/new/alice-key.yaml");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const written = await readFile(file, "utf8");
    expect(written).toContain("namespace: team");
    expect(first.out).not.toContain("sk-");
    const second = await parley(["key", "alice", "--out=keys/new"]);
    expect(second).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("is there already and stays as it is"),
    });
    expect(await readFile(file, "utf8")).toBe(written);
    expect(await readdir(join(root, "keys/new"))).toEqual(["alice-key.yaml"]);
  });

  test.each([
    [["key"], "NAME is missing"],
    [["key", "a".repeat(250)], "parley key: NAME: with -key after it, the name of its Secret is too long"],
    [["key", "a", "--namespace=A_B"], "parley key: --namespace: may hold"],
    [["key", "a", "--expires=soon"], "720h"],
    [["key", "a", "--expires=2027-13-01T00:00:00Z"], "720h"],
    [["key", "a", "--expires=2020-01-01T00:00:00Z"], "parley key: --expires: 2020-01-01T00:00:00Z is over"],
    [
      ["key", "a", "--agent=ok,Bad_A"],
      '--agent: "ok,Bad_A" is not valid: write the name of an agent, as hello or shared/search',
    ],
    [["key", "a", "--agent=Team_A/hello"], "write the name of an agent"],
    [["key", "a", "--agent=shared/search/more"], "write the name of an agent"],
    [["key", "a", `--agent=${Array.from({ length: 101 }, (_, n) => `a${n}`).join(",")}`], "parley key: --agent: "],
    [["key", "a", "b"], "not expected"],
  ])("%j is bad usage", async (args, message) => {
    expect(await parley(args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
  });

  test("a name that is none is said once, of what was written", async () => {
    const err =
      "parley key: NAME: may hold lower-case letters, digits, '-' and '.', with a letter or digit at both ends\n";
    expect(await parley(["key", "Alice_B"])).toMatchObject({ code: 2, out: "", err });
  });
});
