// Who is let in and who is not, with keys of the test's own in place of a cluster's.
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { beforeEach, describe, expect, test } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { FakeClock } from "../../proxy/table/clock.test-support.ts";
import { createAuthenticate } from "./authenticate.ts";
import type { TokenReview } from "../token-review.ts";
import type { KeySet } from "./json-web-token.ts";
import { quietLog } from "./quiet.test-support.ts";
import type { Authenticate } from "./stream-server.ts";

const ISSUER = "https://kubernetes.default.svc";
const USER = "system:serviceaccount:parley:parley-proxy";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

let clock: FakeClock;
let authenticate: Authenticate;
let answer: TokenReview;
let keys: KeySet | undefined;
let reviews: number;
/** Reviews wait for it. */
let answers: Promise<void>;
let refusals: string[];

beforeEach(() => {
  clock = createFakeClock();
  answer = { review: "Authenticated", user: USER, audiences: ["parley-operator"], podUid: "pod-1" };
  keys = undefined;
  reviews = 0;
  answers = Promise.resolve();
  refusals = [];
  authenticate = createAuthenticate({
    audience: "parley-operator",
    serviceAccount: { namespace: "parley", name: "parley-proxy" },
    review: async () => {
      reviews += 1;
      await answers;
      return answer;
    },
    keys: () => keys,
    clock,
    log: quietLog,
    refused: (reason) => refusals.push(reason),
  });
});

function tokenOf(change: object = {}, key: KeyObject = rsa, header: object = {}): string {
  const now = Math.floor(clock.now() / 1000);
  const alg = key.asymmetricKeyType === "ec" ? "ES256" : "RS256";
  const claims = {
    iss: ISSUER,
    sub: USER,
    aud: ["parley-operator"],
    exp: now + 600,
    nbf: now,
    "kubernetes.io": { namespace: "parley", pod: { name: "p", uid: "pod-1" } },
    ...change,
  };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const text = `${encode({ alg, kid: alg, ...header })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
  return `${text}.${signature}`;
}

const ask = (token: string | undefined) =>
  authenticate({ headers: token === undefined ? {} : { authorization: `Bearer ${token}` } } as IncomingMessage);

describe("a token", () => {
  test("of a proxy proves the pod, until it expires", async () => {
    expect(await ask(tokenOf())).toEqual({ ok: true, proxy: "pod-1", until: clock.now() + 600_000 });
    expect(refusals).toEqual([]);
  });

  test.each<[string, () => string | undefined]>([
    ["NoToken", () => undefined],
    ["Malformed", () => "garbage"],
    ["Malformed", () => "a.b.c"],
    ["Malformed", () => tokenOf({ exp: undefined })],
    ["WrongAudience", () => tokenOf({ aud: ["https://kubernetes.default.svc"] })],
    ["WrongServiceAccount", () => tokenOf({ sub: "system:serviceaccount:parley:default" })],
    ["WrongServiceAccount", () => tokenOf({ sub: "system:serviceaccount:other:parley-proxy" })],
    ["Expired", () => tokenOf({ exp: Math.floor(clock.now() / 1000) })],
  ])("is refused as %s without asking anybody (%#)", async (reason, make) => {
    expect(await ask(make())).toEqual({ ok: false, status: 401 });
    expect(refusals).toEqual([reason]);
    expect(reviews).toBe(0);
  });

  test("that lies about itself is refused by what the API server says", async () => {
    answer = { review: "NotAuthenticated" };
    expect(await ask(tokenOf())).toEqual({ ok: false, status: 401 });
    answer = { review: "Authenticated", user: USER, audiences: ["other"], podUid: "pod-1" };
    expect(await ask(tokenOf({ n: 1 }))).toEqual({ ok: false, status: 401 });
    answer = { review: "Authenticated", user: "somebody", audiences: ["parley-operator"], podUid: undefined };
    expect(await ask(tokenOf({ n: 2 }))).toEqual({ ok: false, status: 401 });
    expect(refusals).toEqual(["NotAuthenticated", "WrongAudience", "WrongServiceAccount"]);
  });

  test("is reviewed once for a while, also when it is shown many times at once", async () => {
    const token = tokenOf();
    await Promise.all([ask(token), ask(token)]);
    await ask(token);
    expect(reviews).toBe(1);
    answer = { review: "NotAuthenticated" };
    clock.advance(30_000);
    expect(await ask(token)).toEqual({ ok: false, status: 401 });
    expect(reviews).toBe(2);
  });

  test("is not remembered past its life", async () => {
    const token = tokenOf({ exp: Math.floor(clock.now() / 1000) + 10 });
    expect(await ask(token)).toMatchObject({ ok: true });
    clock.advance(10_000);
    expect(await ask(token)).toEqual({ ok: false, status: 401 });
    expect(refusals).toEqual(["Expired"]);
  });
});

const keysOfCluster = (): KeySet => ({
  issuer: ISSUER,
  keys: [
    { ...createPublicKey(rsa).export({ format: "jwk" }), kid: "RS256", alg: "RS256" },
    { ...createPublicKey(ec).export({ format: "jwk" }), kid: "ES256", alg: "ES256" },
  ],
});

describe("tokens that no known key has signed", () => {
  beforeEach(() => {
    keys = keysOfCluster();
  });

  test("keep the API server no busier than a few at once, and no proxy out", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answers = promise;
    const strangers = Array.from({ length: 100 }, (_, n) => ask(tokenOf({ n }, stranger)));
    const proxies = Array.from({ length: 100 }, (_, n) => ask(tokenOf({ n })));
    expect(reviews).toBe(104);
    resolve();
    expect(await Promise.all(proxies)).toEqual(Array.from(proxies, () => expect.objectContaining({ ok: true })));
    const refused = await Promise.all(strangers);
    expect(refused.filter((one) => !one.ok && one.status === 503)).toHaveLength(96);
  });

  test("are good when the API server says so: it may have a new key", async () => {
    const token = tokenOf({}, stranger);
    expect(await ask(token)).toMatchObject({ ok: true, proxy: "pod-1" });
    expect(await ask(token)).toMatchObject({ ok: true, proxy: "pod-1" });
    expect(reviews).toBe(1);
  });

  test("push out nothing that is known of a proxy", async () => {
    const token = tokenOf();
    await ask(token);
    answer = { review: "NotAuthenticated" };
    for (let n = 0; n < 5000; n++) await ask(tokenOf({ n }, ec, { kid: "other" }));
    reviews = 0;
    expect(await ask(token)).toMatchObject({ ok: true });
    expect(reviews).toBe(0);
  });
});

describe("while the API server does not answer", () => {
  beforeEach(() => {
    answer = { review: "Unavailable", cause: "no connection" };
    keys = keysOfCluster();
  });

  test.each([
    ["RS256", rsa],
    ["ES256", ec],
  ])("its %s keys judge", async (_name, key) => {
    expect(await ask(tokenOf({}, key))).toEqual({ ok: true, proxy: "pod-1", until: clock.now() + 600_000 });
  });

  test.each([
    ["of a stranger's key", () => tokenOf({}, stranger)],
    ["of another issuer", () => tokenOf({ iss: "https://elsewhere" })],
    ["of a key that is not known", () => tokenOf({}, rsa, { kid: "other" })],
    ["without an algorithm", () => tokenOf({}, rsa, { alg: "none" })],
    ["with the algorithm of secrets", () => tokenOf({}, rsa, { alg: "HS256" })],
    ["whose claims were changed", () => tokenOf().replace(/\.[^.]+\./, `.${tokenOf({ n: 1 }).split(".")[1]}.`)],
    ["that is not valid yet", () => tokenOf({ nbf: Math.floor(clock.now() / 1000) + 60 })],
  ])("a token %s is refused", async (_name, make) => {
    expect(await ask(make())).toEqual({ ok: false, status: 401 });
    expect(refusals).toEqual(["NotAuthenticated"]);
  });

  test("and its keys were never read, nobody is judged, and soon asked for again", async () => {
    keys = undefined;
    const token = tokenOf();
    expect(await ask(token)).toEqual({ ok: false, status: 503 });
    answer = { review: "Authenticated", user: USER, audiences: ["parley-operator"], podUid: "pod-1" };
    expect(await ask(token)).toMatchObject({ ok: true });
    expect(refusals).toEqual(["Unavailable"]);
  });
});
