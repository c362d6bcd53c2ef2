// What we read of an HTTP+JSON request against what real servers read of the path, query and body that we would send on.
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AgentCard } from "@a2a-js/sdk";
import * as current from "@a2a-js/sdk/server/express";
import * as legacy from "@a2a-js/sdk-0.3/server/express";
import express from "express";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNotes } from "./noted-calls.test-support.ts";
import { createRestBodyReader } from "./rest-body.ts";
import { parseRestRequest } from "./rest.ts";

const notes = createNotes();

const servers: Server[] = [];
const ports: number[] = [];

beforeAll(async () => {
  const card = AgentCard.fromJSON({
    name: "x",
    capabilities: { streaming: true, pushNotifications: true },
    supportedInterfaces: ["1.0", "0.3"].map((protocolVersion) => ({
      url: "http://x",
      protocolBinding: "HTTP+JSON",
      protocolVersion,
    })),
  });
  const legacyCard = {
    name: "x",
    url: "http://x",
    preferredTransport: "HTTP+JSON",
    capabilities: { streaming: true, pushNotifications: true },
  };
  const apps = [
    current.restHandler({
      requestHandler: notes.handler(card),
      userBuilder: current.UserBuilder.noAuthentication,
      legacyCompat: { enabled: true },
    }),
    legacy.restHandler({
      requestHandler: notes.handler(legacyCard, true),
      userBuilder: legacy.UserBuilder.noAuthentication,
    }),
  ];
  for (const app of apps) {
    const server = express().use(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    servers.push(server);
    ports.push((server.address() as AddressInfo).port);
  }
});
afterAll(() => {
  for (const server of servers) server.close();
});

function send(port: number, method: string, path: string, version: string | undefined, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(version === undefined ? {} : { "a2a-version": version }),
      ...(body === "" ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    };
    const request = httpRequest({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const segment = fc.constantFrom(
  "tasks",
  "T",
  "U",
  "v1",
  "V1",
  "message:send",
  "T:cancel",
  "T:subscribe",
  "T%3Acancel",
  "T%2FU",
  "a%3Ab",
  "%C3%A9",
  "T:CANCEL",
  "pushNotificationConfigs",
  "..",
  "Tasks",
  "extendedAgentCard",
  "t~'()*!",
);
const task = fc.constantFrom("T", "U", "a%3Ab", "%54", "T:x", "%C3%A9");
const path = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join("/")}`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom("", "/v1", "/v1", "/acme"),
        task,
        fc.constantFrom("", ":cancel", ":subscribe", "/pushNotificationConfigs", "/pushNotificationConfigs/C"),
      )
      .map(([before, id, after]) => `${before}/tasks/${id}${after}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("", "/v1", "/v1", "/acme"), fc.constantFrom("/message:send", "/message:stream", "/tasks"))
      .map((parts) => parts.join("")),
  },
);
const query = fc.array(
  fc.constantFrom(
    "contextId=C",
    "context_id=C",
    "contextId%5B%5D=D",
    "contextId=D",
    "taskId=U",
    "id=T",
    "name=tasks/U",
    "historyLength=1",
    "tenant=acme",
  ),
  { maxLength: 2 },
);
const member = fc.constantFrom(
  '"message":{"messageId":"m","role":"ROLE_USER","taskId":"T","contextId":"C"}',
  '"message":{"task_id":"U"}',
  '"request":{"taskId":"U"}',
  '"name":"tasks/T/pushNotificationConfigs/c"',
  '"name":"tasks/U/pushNotificationConfigs/c"',
  '"name":"tasks/U/pushNotificationConfigs/c","pushNotificationConfig":{"url":"https://x"}',
  '"name":"tasks/T/pushNotificationConfigs/c","pushNotificationConfig":{"url":"https://x"}',
  '"parent":"tasks/U","config":{"pushNotificationConfig":{"url":"https://x"}}',
  '"parent":"tasks/T"',
  '"parent":"tasks/U"',
  '"taskId":"U"',
  '"id":"T"',
  '"tenant":"acme"',
  '"pushNotificationConfig":{"url":"https://x"}',
  '"config":{"pushNotificationConfig":{"url":"https://x"}}',
);
const body = fc.array(member, { minLength: 1, maxLength: 4 }).map((members) => `{${members.join(",")}}`);
const version = fc.constantFrom(undefined, "0.3", "1.0");

describe("what servers of the SDKs read", () => {
  it.each([
    [0, "1.3.0"],
    [1, "0.3.14"],
  ])("is what was read here (server %i, %s)", async (index) => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "POST", "DELETE"),
        path,
        query,
        body,
        version,
        async (method, raw, parameters, json, header) => {
          const parsed = parseRestRequest(method, raw, parameters.join("&"), header);
          if (!parsed.ok) return;
          const { request } = parsed;
          const sent = request.body === "none" ? "" : json;
          const reader = createRestBodyReader(request);
          if (sent !== "") reader.push(Buffer.from(sent));
          const read = reader.end();
          if (!read.ok) return;
          notes.calls.length = 0;
          const target = request.query === "" ? request.path : `${request.path}?${request.query}`;
          await send(ports[index] ?? 0, method, target, header, sent);
          for (const call of notes.calls) {
            compared++;
            expect(call.operation).toBe(request.operation.name);
            expect([call.taskId, call.contextId]).toEqual([read.ids.taskId ?? "", read.ids.contextId ?? ""]);
          }
        },
      ),
      { numRuns: 800 },
    );
    expect(compared).toBeGreaterThan(10);
  });
});
