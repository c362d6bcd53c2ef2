import { getEventListeners, once } from "node:events";
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";
import type { Dispatcher } from "undici";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFakeClock } from "./clock.test-support.ts";
import type { FakeClock } from "./clock.test-support.ts";
import { sendRequest } from "./send-request.ts";
import type { Answer, Sending } from "./send-request.ts";

describe("sendRequest", () => {
  let server: Server;
  let dispatcher: Dispatcher;
  let clock: FakeClock;
  const asked: string[] = [];
  const open: ServerResponse[] = [];

  beforeEach(async () => {
    asked.length = open.length = 0;
    clock = createFakeClock();
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      open.push(response);
      if (request.url === "/silent") return;
      response.write("12345");
      if (request.url === "/long") response.write("x".repeat(100_000));
      else response.end("67890");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    dispatcher = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 1 });
  });
  afterEach(async () => {
    for (const response of open) response.destroy();
    await dispatcher.destroy();
    server.close();
  });

  const ask = (path: string, more: Partial<Sending> = {}): Promise<Answer> =>
    sendRequest({
      prepared: Promise.resolve({ dispatcher, options: { path, method: "GET" } }),
      timeout: 10_000,
      signal: undefined,
      clock,
      onStatus: () => undefined,
      longest: 10,
      ...more,
    });

  it("gives an answer of just so many bytes, and of a longer one only its status", async () => {
    expect(await ask("/")).toEqual({ status: 200, text: "1234567890" });
    expect(await ask("/", { longest: 9 })).toEqual({ status: 200, text: undefined });
    expect(await ask("/long")).toEqual({ status: 200, text: undefined });
    expect(await ask("/")).toEqual({ status: 200, text: "1234567890" });
  });

  it("leaves no timer behind", async () => {
    await ask("/");
    await ask("/long");
    await expect(ask("/", { prepared: Promise.reject(new Error("none")) })).rejects.toThrow("none");
    expect(clock.pending).toEqual([]);
  });

  it("sends nothing when it is over before it begins", async () => {
    const stop = new AbortController();
    stop.abort(new Error("over"));
    const dispatch = vi.spyOn(dispatcher, "dispatch");
    await expect(ask("/", { signal: stop.signal })).rejects.toThrow("over");
    expect(dispatch).not.toHaveBeenCalled();
    const late = ask("/", { timeout: 5, prepared: new Promise(() => undefined) });
    clock.advance(5);
    await expect(late).rejects.toThrow(/0.005 s/);
    await expect(ask("/", { prepared: Promise.reject(new Error("no credentials")) })).rejects.toThrow("no credentials");
    expect(await ask("/", {})).toMatchObject({ status: 200 });
    expect(asked).toEqual(["/"]);
  });

  it("that is given up while it waits for a connection is not sent later", async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const busy = ask("/silent", { signal: first.signal });
    const waits = ask("/waits", { signal: second.signal });
    while (asked.length === 0) await once(server, "request");
    second.abort(new Error("not now"));
    await expect(waits).rejects.toThrow("not now");
    expect(getEventListeners(second.signal, "abort")).toEqual([]);
    first.abort(new Error("enough"));
    await expect(busy).rejects.toThrow("enough");
    expect(await ask("/next")).toMatchObject({ status: 200 });
    expect(asked).toEqual(["/silent", "/next"]);
  });

  it("that is given up before its turn leaves the connection to the next", async () => {
    const connected = vi.fn();
    server.on("connection", connected);
    const stop = new AbortController();
    const busy = ask("/silent");
    const waits = ask("/waits", { signal: stop.signal });
    while (asked.length === 0) await once(server, "request");
    stop.abort(new Error("not now"));
    await expect(waits).rejects.toThrow("not now");
    open[0]?.end();
    await busy;
    expect(await ask("/next")).toMatchObject({ status: 200 });
    expect([asked, connected.mock.calls.length]).toEqual([["/silent", "/next"], 1]);
  });

  it("rejects when the connection breaks, also within the answer", async () => {
    const silent = ask("/silent");
    while (open.length === 0) await once(server, "request");
    open[0]?.destroy();
    await expect(silent).rejects.toThrow(/closed|reset|terminated/i);
    const long = ask("/long", { longest: 1_000_000 });
    while (open.length < 2) await once(server, "request");
    open[1]?.destroy();
    await expect(long).rejects.toThrow(/closed|reset|terminated/i);
  });
});
