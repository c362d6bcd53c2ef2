// A CA through its years, on a clock of the test's own, checked by real TLS.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { SPREAD, advance, bundleOf, decodeAuthority, encodeAuthority, lifeOf } from "./authority.ts";
import type { Authority, Bundle } from "./authority.ts";
import { makeCa, makeServing } from "./certificates.ts";
import type { CertificatePair } from "../../process/certificate-files.ts";

const DAY = 86_400_000;

/** A CA that somebody put there, of keys that are not signed with here. Good until 2126. */
const ED25519 = {
  key: `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIKnDFMENc2mIbBw03gABm+edvcr2neZvnuCAAaGV46Xw
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBMDCB46ADAgECAhQwOkn1IlTMlLQ4rrTv9n5NKHcR9zAFBgMrZXAwDTELMAkG
A1UEAwwCY2EwIBcNMjYxMTI1MjE0NzMyWhgPMjEyNjExMDEyMTQ3MzJaMA0xCzAJ
BgNVBAMMAmNhMCowBQYDK2VwAyEAmTuYR9ioQnq3bsQxa/AfCCi5+0Z4XEum66Fg
640uF3ajUzBRMB0GA1UdDgQWBBQixdphjNphROwR224Dq3xk/7jF+TAfBgNVHSME
GDAWgBQixdphjNphROwR224Dq3xk/7jF+TAPBgNVHRMBAf8EBTADAQH/MAUGAytl
cANBALTu/dz0vp1x24jAQXZd5MQ8CFFpZfV4Jrl7SEfYcVg5t781S+D7E+YHeXnw
I9I2T44NJuvxWgefnh6CBxXarQU=
-----END CERTIFICATE-----
`,
};

/** Undefined: the client trusts it; else why not. */
async function fault(serving: CertificatePair, ca: string, servername: string): Promise<string | undefined> {
  const server = createServer({ cert: serving.cert, key: serving.key }, (socket) => socket.end());
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, ca, servername });
  try {
    await once(client, "secureConnect");
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    client.destroy();
    server.close();
  }
}

describe("a certificate", () => {
  const ca = makeCa("default", Date.now());
  const serving = makeServing(ca, ["parley-operator.parley.svc", "127.0.0.1", "::1"], Date.now());

  test("is trusted by who trusts its CA, for its names only", async () => {
    expect(await fault(serving, ca.cert, "parley-operator.parley.svc")).toBe(undefined);
    expect(await fault(serving, ca.cert, "other.parley.svc")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await fault(serving, makeCa("default", Date.now()).cert, "parley-operator.parley.svc")).toBe(
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    );
  });

  test("has addresses too, cannot sign, and does not outlive its CA", () => {
    const read = new X509Certificate(serving.cert);
    expect(read.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(read.ca).toBe(false);
    expect(read.checkIssued(new X509Certificate(ca.cert))).toBe(true);
    const end = lifeOf(ca.cert).to;
    expect(lifeOf(makeServing(ca, ["localhost"], end - 1000).cert).to).toBe(end);
  });
});

describe("the CA", () => {
  const start = Date.parse("2026-01-01T00:00:00Z");
  let made = 0;
  const step = (stored: Authority | undefined, bundle: Bundle | undefined, now: number): Authority =>
    advance(stored, bundle, now, () => {
      made += 1;
      return makeCa("default", now);
    });

  test("is made once, renewed in time, and never signs before proxies know it", () => {
    made = 0;
    let authority: Authority | undefined;
    let bundle: Bundle | undefined;
    const handovers: { readonly known: number; readonly kept: boolean }[] = [];
    let shownSince = new Map<string, number>();
    for (let now = start; now < start + 3 * 365 * DAY; now += authority?.next === undefined ? DAY : SPREAD / 2) {
      const before = authority;
      authority = step(authority, bundle, now);
      const pem = bundleOf(authority);
      if (bundle?.pem !== pem) bundle = { pem, changedAt: now };
      const { cert } = authority.current;
      if (before !== undefined && before.current.cert !== cert) {
        // What was signed until now stays good.
        handovers.push({ known: now - (shownSince.get(cert) ?? now), kept: pem.includes(before.current.cert) });
      }
      shownSince = new Map(
        pem.split(/(?<=-----END CERTIFICATE-----\n)/).map((one) => [one, shownSince.get(one) ?? now]),
      );
      expect(lifeOf(cert).to).toBeGreaterThan(now + DAY);
      expect(shownSince.size).toBeLessThanOrEqual(3);
    }
    expect(made).toBeGreaterThan(3);
    expect(made).toBeLessThan(7);
    expect(handovers.length).toBe(made - 1);
    expect(handovers.filter(({ known, kept }) => known < SPREAD || !kept)).toEqual([]);
  });

  test("waits with the new one while the bundle could not be written", () => {
    const first = step(undefined, undefined, start);
    const later = start + 300 * DAY;
    const second = step(first, { pem: bundleOf(first), changedAt: start }, later);
    expect(second.next).toBeDefined();
    // The ConfigMap still shows the first alone.
    expect(step(second, { pem: bundleOf(first), changedAt: start }, later + 10 * SPREAD)).toBe(second);
    expect(step(second, { pem: bundleOf(second), changedAt: later }, later + SPREAD - 1)).toBe(second);
    expect(step(second, { pem: bundleOf(second), changedAt: later }, later + SPREAD).current).toBe(second.next);
  });

  test("that has expired is replaced at once", () => {
    const first = step(undefined, undefined, start);
    const now = start + 400 * DAY;
    expect(lifeOf(step(first, undefined, now).current.cert).to).toBeGreaterThan(now);
  });

  test("is read back as it was written, and what is damaged is none", () => {
    const authority: Authority = {
      current: makeCa("a", start),
      next: makeCa("b", start),
      previous: makeCa("c", start).cert,
    };
    const data = encodeAuthority(authority);
    expect(decodeAuthority(data)).toEqual(authority);
    expect(decodeAuthority({})).toBe(undefined);
    expect(decodeAuthority({ ...data, "current.key": data["next.key"] ?? "" })).toBe(undefined);
    expect(decodeAuthority({ ...data, "next.key": "" })).toBe(undefined);
    expect(decodeAuthority({ ...data, "previous.crt": "x" })).toBe(undefined);
    expect(decodeAuthority({ "current.crt": ED25519.cert, "current.key": ED25519.key })).toBe(undefined);
  });
});
