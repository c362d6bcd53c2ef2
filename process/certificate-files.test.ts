// Files of a certificate that are replaced, torn and mended again.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeCa } from "../operator/publish/certificates.ts";
import { createFakeClock } from "../proxy/table/clock.test-support.ts";
import { watchCertificateFiles } from "./certificate-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-certificate-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the last good pair is served, whatever the files hold meanwhile", async () => {
  const [certFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const said: string[] = [];
  const say = (...what: unknown[]): void => void said.push(JSON.stringify(what));
  const log = { trace: say, debug: say, info: () => undefined, warn: say, error: say };
  const [first, second] = [makeCa("first", Date.now()), makeCa("second", Date.now())];
  const files = await watchCertificateFiles({ certFile, keyFile, clock: createFakeClock(), log });
  const seen: string[] = [];
  files.onChange(({ cert }) => seen.push(cert));
  expect(files.current).toBe(undefined);
  expect(said).toHaveLength(1);

  writeFileSync(certFile, first.cert);
  writeFileSync(keyFile, first.key);
  await files.look();
  expect(files.current).toEqual(first);
  writeFileSync(certFile, second.cert);
  await files.look();
  await files.look();
  expect(files.current).toEqual(first);
  expect(said).toHaveLength(2);
  writeFileSync(keyFile, second.key);
  await files.look();
  expect(files.current).toEqual(second);
  expect(seen).toEqual([first.cert, second.cert]);
  expect(said.join("")).not.toContain("PRIVATE");
  files.close();
});

test("a chain that a server does not take is said, and the server keeps what it has", async () => {
  const [certFile, keyFile] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const said: string[] = [];
  const say = (...what: unknown[]): void => void said.push(JSON.stringify(what));
  const log = { trace: say, debug: say, info: () => undefined, warn: say, error: say };
  const [first, second] = [makeCa("first", Date.now()), makeCa("second", Date.now())];
  writeFileSync(certFile, first.cert);
  writeFileSync(keyFile, first.key);
  const files = await watchCertificateFiles({ certFile, keyFile, clock: createFakeClock(), log });
  const server = createServer({ ...files.current });
  files.onChange((pair) => server.setSecureContext(pair));

  writeFileSync(certFile, `${second.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
  writeFileSync(keyFile, second.key);
  await files.look();
  expect(files.current).toEqual(first);
  expect(said).toEqual([expect.stringContaining("certificate cannot be used")]);
  writeFileSync(certFile, second.cert);
  await files.look();
  expect(files.current).toEqual(second);
  files.close();
});
