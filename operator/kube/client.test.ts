import { getEventListeners } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { answer, refusal, startScriptedServer, watch } from "./scripted-server.test-support.ts";
import type { ScriptedServer } from "./scripted-server.test-support.ts";

describe("createKubeClient", () => {
  let server: ScriptedServer;
  afterEach(() => server.close());
  const { signal } = new AbortController();

  it("sends method, query, body and credentials, and gives what was answered, whatever the status", async () => {
    server = await startScriptedServer(answer(201, { made: true }), refusal(422, "Invalid"));
    const made = await server.client.request({
      method: "PATCH",
      path: "/api/v1/namespaces/a%2Fb",
      query: { force: "true", name: "a b&c" },
      contentType: "application/apply-patch+yaml",
      body: { a: 1 },
    });
    expect(made).toEqual({ status: 201, body: { made: true } });
    const [asked] = server.asked;
    expect([asked?.method, asked?.url.pathname, asked?.url.searchParams.get("name"), asked?.body]).toEqual([
      "PATCH",
      "/api/v1/namespaces/a%2Fb",
      "a b&c",
      '{"a":1}',
    ]);
    expect(asked?.headers).toMatchObject({
      authorization: "Bearer tester-token",
      "content-type": "application/apply-patch+yaml",
      accept: "application/json",
    });
    expect(await server.client.request({ method: "GET", path: "/" })).toMatchObject({ status: 422 });
  });

  const refused = answer(401, {});
  const brokenOff = (response: ServerResponse): void => {
    response.writeHead(401, { "content-length": "100" }).write("{", () => response.destroy());
  };
  it.each([
    ["request", refused],
    ["request", brokenOff],
    ["stream", refused],
  ] as const)("asks for credentials again once a %s was refused them", async (what, refusing) => {
    const ask = (): Promise<unknown> =>
      what === "stream" ? server.client.stream("/", {}, signal) : server.client.request({ method: "GET", path: "/" });
    server = await startScriptedServer(answer(200, {}), refusing, answer(200, {}));
    await ask();
    server.config.users = [{ name: "tester", token: "another-token" }];
    await ask().catch(() => undefined);
    await ask();
    expect(server.asked.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer tester-token",
      "Bearer tester-token",
      "Bearer another-token",
    ]);
  });

  it.each([
    ["that is not there", "no-such-plugin", [], "is not there: install it, or add its folder to PATH"],
    ["that fails", "sh", ["-c", "echo log in first >&2; exit 3"], "failed: log in first"],
    ["that fails without a word", "sh", ["-c", "exit 3"], "failed and did not say why"],
    ["that prints its token", "echo", ["secret-token"], "gave no ExecCredential"],
    ["that prints something else", "echo", ["{}"], "gave no ExecCredential"],
  ])("names a credential plugin %s, and shows nothing that it printed", async (_, command, args, fault) => {
    server = await startScriptedServer();
    server.config.users = [{ name: "tester", exec: { command, args } }];
    await expect(server.client.request({ method: "GET", path: "/" })).rejects.toThrow(
      new Error(`the credential plugin ${command} of the kubeconfig ${fault}`),
    );
  });

  it("takes an answer that is not JSON for one without a body", async () => {
    server = await startScriptedServer((response) => response.writeHead(502).end("<html>"));
    expect(await server.client.request({ method: "GET", path: "/" })).toEqual({ status: 502, body: undefined });
  });

  it("throws when the connection breaks, when the time is over and when it is aborted, and works again after", async () => {
    const silent = (): void => undefined;
    const stop = new AbortController();
    server = await startScriptedServer(
      (response) => response.destroy(),
      silent,
      () => stop.abort(),
      answer(200, {}),
    );
    const ask = (more: object = {}) => server.client.request({ method: "GET", path: "/", ...more });
    await expect(ask()).rejects.toThrow(/socket|closed|reset/i);
    await expect(ask({ timeout: 19.5 })).rejects.toThrow(/no answer within 0.02 s/);
    await expect(ask({ signal: stop.signal })).rejects.toThrow(/aborted/i);
    expect(await ask()).toEqual({ status: 200, body: {} });
  });

  it("waits no longer for a body than for a head, and leaves nothing on the signal", async () => {
    const stop = new AbortController();
    let stops = false;
    const half = (response: ServerResponse): void => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{");
      if (stops) setImmediate(() => stop.abort());
    };
    // On a slow machine the time of the second may be over before it is sent: then the third gets its answer.
    server = await startScriptedServer(answer(200, {}), half, half);
    const ask = (more: object) => server.client.request({ method: "GET", path: "/", signal: stop.signal, ...more });
    expect(await ask({})).toEqual({ status: 200, body: {} });
    await expect(ask({ timeout: 20 })).rejects.toThrow(/no answer within 0.02 s/);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
    stops = true;
    await expect(ask({})).rejects.toThrow(/aborted/i);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
    const asked = server.asked.length;
    await expect(ask({})).rejects.toThrow(/aborted/i);
    expect(server.asked).toHaveLength(asked);
  });

  it("gives the lines of a stream as they come, and the body of a refusal", async () => {
    server = await startScriptedServer(watch([{ a: 1 }, { b: 2 }], "end"), refusal(410, "Expired", "too old"));
    const first = await server.client.stream("/watch", { watch: "true" }, signal);
    const lines: string[] = [];
    if (first.ok) for await (const line of first.lines) lines.push(line);
    expect(lines).toEqual(['{"a":1}', '{"b":2}']);
    const second = await server.client.stream("/watch", {}, signal);
    expect(second).toMatchObject({ ok: false, status: 410, body: { reason: "Expired", message: "too old" } });
  });
});
