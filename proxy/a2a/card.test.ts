import { createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { AgentCard } from "@a2a-js/sdk";
import { ClientFactory } from "@a2a-js/sdk/client";
import { agentCardHandler } from "@a2a-js/sdk/server/express";
import type { AgentCard as LegacyCard } from "@a2a-js/sdk-0.3";
import { ClientFactory as LegacyClientFactory } from "@a2a-js/sdk-0.3/client";
import express from "express";
import { describe, expect, it } from "vitest";
import { rewriteCard, rewriteExtendedCard } from "./card.ts";

const to = { url: "https://gateway.example.com/a2a/travel" };
const INTERNAL = "http://travel.agents.svc:8080/a2a";

type Json = Record<string, unknown>;
function rewritten(card: unknown): Json {
  const result = rewriteCard(Buffer.from(typeof card === "string" ? card : JSON.stringify(card)), to);
  if (!result.ok) throw new Error("refused");
  return JSON.parse(result.body.toString()) as Json;
}

const legacyCard: LegacyCard = {
  name: "travel",
  description: "d",
  protocolVersion: "0.3.0",
  version: "1",
  url: `${INTERNAL}/grpc`,
  preferredTransport: "GRPC",
  additionalInterfaces: [
    { url: `${INTERNAL}/grpc`, transport: "GRPC" },
    { url: `${INTERNAL}/rpc`, transport: "JSONRPC" },
    { url: `${INTERNAL}/rpc2`, transport: "JSONRPC" },
    { url: `${INTERNAL}/rest`, transport: "HTTP+JSON" },
  ],
  provider: { organization: "o", url: "https://provider.example.com" },
  iconUrl: "https://icon.example.com",
  capabilities: { streaming: true },
  defaultInputModes: ["text/plain"],
  defaultOutputModes: ["text/plain"],
  skills: [{ id: "s", name: "s", description: "", tags: [], security: [{ own: [] }] }],
  securitySchemes: { own: { type: "apiKey", in: "header", name: "x-key" } },
  security: [{ own: [] }],
  signatures: [{ protected: "p", signature: "s" }],
};
const currentCard = AgentCard.fromJSON({
  name: "travel",
  version: "1",
  capabilities: { streaming: true, extendedAgentCard: true },
  supportedInterfaces: [
    { url: `${INTERNAL}:50051`, protocolBinding: "GRPC", protocolVersion: "1.0" },
    { url: `${INTERNAL}/rpc`, protocolBinding: "JSONRPC", protocolVersion: "1.0", tenant: "acme" },
    { url: `${INTERNAL}/rest`, protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
    { url: `${INTERNAL}/rpc2`, protocolBinding: "JSONRPC", protocolVersion: "1.0", tenant: "acme" },
    { url: `${INTERNAL}/old`, protocolBinding: "JSONRPC", protocolVersion: "0.3" },
    { url: `${INTERNAL}/x`, protocolBinding: "https://example.com/binding", protocolVersion: "1.0" },
  ],
  securitySchemes: { own: { apiKeySecurityScheme: { name: "x-key", location: "header" } } },
  securityRequirements: [{ schemes: { own: { list: [] } } }],
  skills: [{ id: "s", name: "s", tags: ["t"], securityRequirements: [{ schemes: { own: { list: [] } } }] }],
  signatures: [{ protected: "p", signature: "s" }],
});

const legacyScheme = { type: "http", scheme: "bearer", description: expect.any(String) };
const currentScheme = { httpAuthSecurityScheme: { scheme: "Bearer", description: expect.any(String) } };
const requirements = [{ schemes: { parleyKey: { list: [] } } }];

describe("a card of 0.3", () => {
  const card = rewritten(legacyCard);
  it("points at the gateway, by a transport that it carries", () => {
    expect(card).toMatchObject({ url: to.url, preferredTransport: "JSONRPC" });
    expect(card["additionalInterfaces"]).toEqual([
      { url: to.url, transport: "JSONRPC" },
      { url: to.url, transport: "HTTP+JSON" },
    ]);
    expect(JSON.stringify(card)).not.toContain("agents.svc");
  });

  it("asks for the gateway's key only, and has no stale signature", () => {
    expect(card["securitySchemes"]).toEqual({ parleyKey: legacyScheme });
    expect(card["security"]).toEqual([{ parleyKey: [] }]);
    expect(card["skills"]).toEqual([{ id: "s", name: "s", description: "", tags: [] }]);
    expect(Object.keys(card)).not.toContain("signatures");
    expect(Object.keys(card)).not.toContain("securityRequirements");
  });

  it("keeps everything else in its order", () => {
    const { signatures: _, ...rest } = legacyCard;
    expect(Object.keys(card)).toEqual(Object.keys(rest));
    expect(card).toMatchObject({
      provider: legacyCard.provider,
      iconUrl: legacyCard.iconUrl,
      protocolVersion: "0.3.0",
    });
  });

  it("can be used by the 0.3 client", async () => {
    await expect(new LegacyClientFactory().createFromAgentCard(card as unknown as LegacyCard)).resolves.toBeDefined();
  });

  it("needs no preferred transport", () => {
    expect(rewritten({ name: "old", url: INTERNAL })).toMatchObject({ name: "old", url: to.url });
    expect(Object.keys(rewritten({ url: INTERNAL }))).not.toContain("preferredTransport");
  });
});

describe("a card of 1.0", () => {
  const card = rewritten(AgentCard.toJSON(currentCard));
  it("points at the gateway, each interface once, tenants kept", () => {
    expect(card["supportedInterfaces"]).toEqual([
      { url: to.url, protocolBinding: "JSONRPC", protocolVersion: "1.0", tenant: "acme" },
      { url: to.url, protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
      { url: to.url, protocolBinding: "JSONRPC", protocolVersion: "0.3" },
    ]);
    expect(JSON.stringify(card)).not.toContain("agents.svc");
  });

  it("asks for the gateway's key only, as the SDK reads it", () => {
    expect(card["securitySchemes"]).toEqual({ parleyKey: currentScheme });
    expect(card["securityRequirements"]).toEqual(requirements);
    const decoded = AgentCard.fromJSON(card);
    expect(decoded.securitySchemes["parleyKey"]?.scheme).toMatchObject({
      $case: "httpAuthSecurityScheme",
      value: { scheme: "Bearer" },
    });
    expect(decoded.securityRequirements[0]?.schemes).toHaveProperty("parleyKey");
    expect(decoded.skills[0]?.securityRequirements).toEqual([]);
    expect(decoded.signatures).toEqual([]);
    expect(Object.keys(card)).not.toContain("security");
  });

  it("can be used by the 1.0 client", async () => {
    await expect(new ClientFactory().createFromAgentCard(AgentCard.fromJSON(card))).resolves.toBeDefined();
  });

  it("is rewritten in the other spelling of protobuf JSON too", () => {
    const snake = {
      supported_interfaces: [{ url: INTERNAL, protocol_binding: "JSONRPC", protocol_version: "1.0" }],
      security_schemes: { own: {} },
    };
    expect(rewritten(snake)).toEqual({
      supportedInterfaces: [{ url: to.url, protocol_binding: "JSONRPC", protocol_version: "1.0" }],
      securitySchemes: { parleyKey: currentScheme },
      securityRequirements: requirements,
    });
  });
});

describe("a hybrid card", () => {
  it("as the SDK serves it keeps both halves, with the key in both spellings", async () => {
    const app = express().use(
      "/card",
      agentCardHandler({
        agentCardProvider: { getAgentCard: () => Promise.resolve(currentCard) },
        legacyCompat: { enabled: true },
      }),
    );
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    const served = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/card`);
    const text = await served.text();
    server.close();
    expect(JSON.parse(text)).toMatchObject({ url: `${INTERNAL}/old`, preferredTransport: "JSONRPC" });
    const card = rewritten(text);
    expect(card).toMatchObject({ url: to.url, preferredTransport: "JSONRPC", security: [{ parleyKey: [] }] });
    expect(card["supportedInterfaces"]).toHaveLength(3);
    expect(card["securitySchemes"]).toEqual({ parleyKey: { ...legacyScheme, ...currentScheme } });
    expect(card["securityRequirements"]).toEqual(requirements);
    expect(JSON.stringify(card)).not.toContain("agents.svc");
  });

  it("loses a half that the gateway does not carry", () => {
    const card = rewritten({
      url: INTERNAL,
      preferredTransport: "GRPC",
      additionalInterfaces: [{ url: INTERNAL, transport: "GRPC" }],
      supportedInterfaces: [{ url: INTERNAL, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
    });
    expect(Object.keys(card)).toEqual(["supportedInterfaces", "securitySchemes", "securityRequirements"]);
  });
});

describe("what clients might read beside", () => {
  it("is dropped: variants of the names that are rewritten", () => {
    const card = rewritten({
      url: INTERNAL,
      URL: INTERNAL,
      Url: INTERNAL,
      SupportedInterfaces: [{ url: INTERNAL, protocolBinding: "JSONRPC" }],
      supported_Interfaces: [{ url: INTERNAL, protocolBinding: "JSONRPC" }],
      additionalInterfaces: [
        { URL: INTERNAL, url: INTERNAL, transport: "JSONRPC" },
        { transport: "HTTP+JSON" },
        "x",
        null,
      ],
    });
    expect(JSON.stringify(card)).not.toContain("agents.svc");
    expect(card["additionalInterfaces"]).toEqual([
      { url: to.url, transport: "JSONRPC" },
      { url: to.url, transport: "HTTP+JSON" },
    ]);
  });

  it("is kept when it is unknown, with its numbers as they were written", () => {
    const text = `{"x-n":12345678901234567890,"url":"${INTERNAL}","__proto__":{"a":1.0},"x":[1e400,-0]}`;
    const result = rewriteCard(Buffer.from(text), to);
    expect(result.ok && result.body.toString()).toContain('{"x-n":12345678901234567890,');
    expect(result.ok && result.body.toString()).toContain('"__proto__":{"a":1.0},"x":[1e400,-0]');
  });
});

describe("what is no card", () => {
  it.each([
    "",
    "{",
    "[]",
    "null",
    '"card"',
    "{}",
    '{"name":"x"}',
    '{"url":5}',
    '{"url":"http://x","preferredTransport":"GRPC"}',
    '{"supportedInterfaces":[]}',
    '{"supportedInterfaces":[{"url":"http://x","protocolBinding":"GRPC"}]}',
    "[".repeat(200_000),
  ])("%.60s", (text) => expect(rewriteCard(Buffer.from(text), to)).toEqual({ ok: false }));

  it("bytes that are not UTF-8", () => {
    expect(rewriteCard(Buffer.from([0x7b, 0xff, 0x7d]), to)).toEqual({ ok: false });
  });
});

describe("the ETag", () => {
  const etag = (url: string, name = "x"): string => {
    const result = rewriteCard(Buffer.from(JSON.stringify({ name, url: INTERNAL })), { url });
    if (!result.ok) throw new Error("refused");
    expect(result.etag).toBe(`"${createHash("sha256").update(result.body).digest("hex").slice(0, 32)}"`);
    return result.etag;
  };
  it("is of the bytes that are sent", () => {
    expect(etag("https://a")).toBe(etag("https://a"));
    expect(etag("https://a")).not.toBe(etag("https://b"));
    expect(etag("https://a")).not.toBe(etag("https://a", "y"));
  });
});

describe("rewriteExtendedCard", () => {
  const extended = (answer: unknown, binding: "JSONRPC" | "HTTP+JSON"): string => {
    const result = rewriteExtendedCard(
      Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer)),
      binding,
      to,
    );
    return result.ok ? result.body.toString() : "refused";
  };

  it("rewrites the result of JSON-RPC and keeps the id's token", () => {
    const answer = `{"jsonrpc":"2.0","id":12345678901234567890,"result":${JSON.stringify(AgentCard.toJSON(currentCard))}}`;
    const text = extended(answer, "JSONRPC");
    expect(text.startsWith('{"jsonrpc":"2.0","id":12345678901234567890,"result":{')).toBe(true);
    expect((JSON.parse(text) as { result: unknown }).result).toEqual(rewritten(AgentCard.toJSON(currentCard)));
    const legacy = JSON.parse(extended({ id: 1, result: legacyCard }, "JSONRPC")) as { result: unknown };
    expect(legacy.result).toEqual(rewritten(legacyCard));
  });

  it("rewrites the bare card of HTTP+JSON", () => {
    expect(JSON.parse(extended(AgentCard.toJSON(currentCard), "HTTP+JSON"))).toEqual(
      rewritten(AgentCard.toJSON(currentCard)),
    );
  });

  it("writes the protobuf form of 0.3 for its HTTP+JSON binding", () => {
    const card = JSON.parse(extended(legacyCard, "HTTP+JSON")) as Json;
    expect(card).toMatchObject({ url: to.url, securitySchemes: { parleyKey: currentScheme }, security: requirements });
    expect(card["securitySchemes"]).toEqual({ parleyKey: currentScheme });
  });

  it("lets errors pass as they are", () => {
    const error = '{ "jsonrpc":"2.0", "id":1.0, "error":{"code":-32007,"message":"none"} }';
    expect(extended(error, "JSONRPC")).toBe(error);
    expect(extended('{"error":{"code":400}}', "HTTP+JSON")).toBe('{"error":{"code":400}}');
  });

  it.each(["", "[]", '{"result":null}', '{"result":"card"}', '{"result":{}}', '{"error":"x"}'])("refuses %j", (text) =>
    expect(extended(text, "JSONRPC")).toBe("refused"),
  );
});
