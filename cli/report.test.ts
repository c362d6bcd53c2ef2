// What is said: problems as lines, what is new of a folder, the banner, the lines of requests. No secret, no control of the terminal.
import { describe, expect, test } from "vitest";
import type { Finding, ObjectResult } from "../operator/translate/result.ts";
import { banner } from "./banner.ts";
import { createFolderReport } from "./folder-report.ts";
import { EMPTY_STATE } from "./last-good.ts";
import type { FolderState } from "./last-good.ts";
import type { ManifestObject, Problem } from "./manifest.ts";
import { createRequestLines } from "./request-line.ts";
import { formatProblem, problemsOf } from "./report.ts";
import { visible } from "../process/visible.ts";
import { createPaint, hasColours } from "./terminal.ts";

const plain = createPaint(false);
const problem: Problem = {
  file: "f.yaml",
  line: 3,
  column: 5,
  object: "A2AAgent default/x",
  path: "spec.backends",
  message: "is required",
  severity: "error",
};

const result = (kind: ObjectResult["kind"], name: string, more: Partial<ObjectResult> = {}): ObjectResult => ({
  kind,
  namespace: "default",
  name,
  uid: `${kind}-${name}`,
  generation: 1,
  conditions: [],
  fields: kind === "A2AAgent" ? { url: `/a2a/${name}` } : { fingerprint: "88dc28d0" },
  rowId: `${kind === "A2AAgent" ? "agent" : "key"}/default/${name}`,
  ...more,
});
const finding = (type: Finding["type"], status: Finding["status"], reason = "Why"): Finding => ({
  type,
  status,
  reason,
  message: `${type} is ${status}.`,
});

function stateOf(...objects: ManifestObject[]): FolderState {
  return {
    problems: [],
    objects: new Map(
      objects.map((object) => [
        `${object.kind}/${object.metadata.namespace}/${object.metadata.name}`,
        { object, file: "f.yaml", position: () => ({ line: 4, column: 1 }) },
      ]),
    ),
  };
}
const metadata = (name: string): ManifestObject["metadata"] => ({
  namespace: "default",
  name,
  uid: name,
  generation: 1,
  resourceVersion: "",
  creationTimestamp: "2000-01-01T00:00:00.000Z",
  labels: {},
});
const keyWith = (token: string): FolderState =>
  stateOf(
    {
      kind: "VirtualKey",
      metadata: metadata("you"),
      spec: { gatewayName: "default", secretRef: { name: "you-key", key: "token" } },
    },
    { kind: "Secret", metadata: metadata("you-key"), credential: "key", data: { token } },
  );

describe("problems", () => {
  test("stand as file:line:column: severity: object: path: message", () => {
    expect(formatProblem(problem, plain)).toBe("f.yaml:3:5: error: A2AAgent default/x: spec.backends: is required");
    expect(formatProblem({ ...problem, object: undefined, path: "" }, plain)).toBe("f.yaml:3:5: error: is required");
  });

  test("are coloured only when asked", () => {
    expect(formatProblem(problem, createPaint(true))).toContain("\u001b[31merror: \u001b[39m");
  });

  test("come of conditions that are False, and of Conflicted when True", () => {
    const conditions = [
      finding("Accepted", "False"),
      finding("Accepted", "False", "Disabled"),
      finding("Accepted", "False", "Expired"),
      finding("ResolvedRefs", "False", "Unknowable"),
      finding("ResolvedRefs", "False"),
      finding("Discovered", "Unknown"),
      finding("SecretReady", "True"),
      finding("Conflicted", "True"),
    ];
    const found = problemsOf(result("VirtualKey", "you", { conditions }), keyWith("x"), {
      ignored: new Set(["Unknowable"]),
    });
    expect(found.map(({ severity, message }) => [severity, message])).toEqual([
      ["error", "Accepted is False. (Accepted: Why)"],
      ["warning", "Accepted is False. (Accepted: Disabled)"],
      ["warning", "Accepted is False. (Accepted: Expired)"],
      ["warning", "ResolvedRefs is False. (ResolvedRefs: Why)"],
      ["warning", "Conflicted is True. (Conflicted: Why)"],
    ]);
    expect(found[0]).toMatchObject({ file: "f.yaml", line: 4, object: "VirtualKey default/you" });
  });
});

test("a folder's report tells each problem once, and when it is solved", () => {
  const lines: string[] = [];
  const report = createFolderReport({ say: (line) => lines.push(line), paint: plain });
  const state: FolderState = { ...EMPTY_STATE, problems: [problem] };
  report.tell(state, [], [], 3);
  expect(lines.splice(0)).toEqual([formatProblem(problem, plain)]);
  report.tell({ ...EMPTY_STATE, problems: [{ ...problem, line: 9 }] }, [], [], 0);
  expect(lines.splice(0)).toEqual([]);
  report.tell(EMPTY_STATE, [result("A2AAgent", "x", { conditions: [finding("Accepted", "False")] })], [], 1);
  expect(lines.splice(0)).toEqual([
    "reloaded: 1 object changed",
    expect.stringContaining("A2AAgent default/x: Accepted is False."),
    "1 problem solved, 1 left",
  ]);
  report.tell(EMPTY_STATE, [], [], 2);
  expect(lines).toEqual(["reloaded: 2 objects changed", "1 problem solved, 0 left"]);
});

describe("the banner", () => {
  const facts = {
    version: "1.2.3",
    folder: "dir",
    url: "http://localhost:4000",
    adminUrl: undefined,
    loopback: true,
    results: [result("VirtualKey", "you"), result("A2AAgent", "hello")],
    state: keyWith("sk-1234"),
  };

  test("names agents with URLs, the well-known key, and a command that uses both", () => {
    const text = banner(facts, plain);
    expect(text).toMatch(/^ {2}hello +http:\/\/localhost:4000\/a2a\/hello$/m);
    expect(text).toMatch(/^ {2}you +sk-1234$/m);
    expect(text).toContain("curl http://localhost:4000/a2a/hello/message/send");
    expect(text).toMatch(/^Try$/m);
    expect(text).toContain("Bearer sk-1234");
  });

  test("never shows another token, nor the well-known one where it is not taken", () => {
    const token = "sk-0123456789012345678901234567890123456789";
    expect(banner({ ...facts, state: keyWith(token) }, plain)).not.toContain(token);
    expect(banner({ ...facts, state: keyWith(token) }, plain)).toMatch(
      /^Try, with the token of a key in PARLEY_KEY: .*\n.*\n.*Bearer \$PARLEY_KEY"/m,
    );
    expect(banner({ ...facts, loopback: false }, plain)).not.toContain("sk-1234");
  });

  test("says what is not served, and what an empty folder needs", () => {
    const results = [
      result("A2AAgent", "hello", { rowId: null, fields: {} }),
      result("VirtualKey", "you", { rowId: null }),
    ];
    expect(banner({ ...facts, results }, plain).match(/not served/g)).toHaveLength(2);
    expect(banner({ ...facts, results }, plain)).not.toContain("curl");
    expect(banner({ ...facts, results: [] }, plain)).toContain("add an A2AAgent");
  });

  test("an expired key is said to be so, and is not in the command", () => {
    const conditions = [finding("Accepted", "False", "Expired")];
    const text = banner(
      { ...facts, results: [result("A2AAgent", "hello"), result("VirtualKey", "you", { conditions })] },
      plain,
    );
    expect(text).toMatch(/^ {2}you +expired/m);
    expect(text).not.toContain("sk-1234");
  });

  test("a configured public URL is told as it is", () => {
    const results = [result("A2AAgent", "hello", { fields: { url: "https://gw.example.com/a2a/hello" } })];
    expect(banner({ ...facts, results }, plain)).toContain("curl https://gw.example.com/a2a/hello/message/send");
  });
});

describe("lines of requests", () => {
  const line = (record: object): string => {
    let text = "";
    createRequestLines((written) => (text += written), false)(`${JSON.stringify(record)}\n`);
    return text;
  };
  const request = {
    time: "2026-11-23T01:02:03.456Z",
    level: "info",
    msg: "request",
    agent: "default/hello",
    key: "team/you",
    operation: "SendMessage",
    state: "completed",
    status: 200,
    outcome: "ok",
    endpoint: "http://127.0.0.1:1",
    latency_ms: 12.345,
  };

  test("are short: when, how it went, who called what, how long", () => {
    expect(line(request)).toBe(
      "01:02:03.456  200  hello  SendMessage  completed  12 ms  key team/you  → http://127.0.0.1:1\n",
    );
  });

  test("tell what went wrong, and how many events a stream had", () => {
    const { endpoint: _, state: __, ...rest } = request;
    const failed = {
      ...rest,
      status: 502,
      outcome: "upstream_error",
      reason: "ConnectFailed",
      streaming: true,
      events: 3,
    };
    expect(line(failed)).toBe(
      "01:02:03.456  502  hello  SendMessage  3 events  12 ms  key team/you  upstream_error ConnectFailed\n",
    );
  });

  test("are harmless, whatever a client chose; other lines pass as they are", () => {
    expect(line({ ...request, operation: "\u001b[2J" })).toContain("\\u001b[2J");
    let text = "";
    createRequestLines((written) => (text += written), false)("no json\n");
    expect(text).toBe("no json\n");
  });
});

test("colours: on a terminal, without NO_COLOR and not on a dumb one", () => {
  expect(hasColours({ isTTY: true }, {})).toBe(true);
  expect(hasColours({ isTTY: true }, { NO_COLOR: "" })).toBe(true);
  expect(hasColours({}, {})).toBe(false);
  expect(hasColours({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
  expect(hasColours({ isTTY: true }, { TERM: "dumb" })).toBe(false);
});

test("what could move the cursor or turn the text around is shown, not done", () => {
  expect(visible("a\u001b[31m\n\u202eb\u0085")).toBe("a\\u001b[31m\\u000a\\u202eb\\u0085");
  expect(visible("grüße → 日本")).toBe("grüße → 日本");
});
