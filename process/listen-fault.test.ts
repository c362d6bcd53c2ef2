// What is said of a listener that could not be opened.
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createAdmin } from "./admin.ts";
import { listenFault, listenOrExplain } from "./listen-fault.ts";
import { createLog } from "./log.ts";

const address = { host: "::1", port: 80 };

test.each([
  ["EADDRINUSE", "[::1]:80 is in use: end what listens there, or choose another with --listen"],
  ["EACCES", "[::1]:80 may not be used by this user: choose a port above 1023 with --listen"],
  ["EADDRNOTAVAIL", "[::1]:80 is no address of this machine: choose another with --listen"],
  ["EMFILE", "cannot listen on [::1]:80: EMFILE"],
])("%s", (code, text) => {
  expect(listenFault(address, "--listen", Object.assign(new Error("x"), { code }))).toBe(text);
});

test("a bug stays what it is", async () => {
  const bug = new TypeError("x");
  await expect(listenOrExplain(address, "--listen", () => Promise.reject(bug))).rejects.toBe(bug);
});

test("the admin listener says in one line that its port is taken", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  const log = createLog({ output: { write: () => undefined }, level: "silent", name: "test" });
  const admin = createAdmin({ listen: { host: "127.0.0.1", port }, registry: new Registry(), log, unready: () => [] });
  const text = `127.0.0.1:${port} is in use: end what listens there, or choose another with --admin-listen`;
  await expect(admin.listen()).rejects.toMatchObject({ message: text, stack: text, code: "EADDRINUSE" });
  await admin.close();
  holder.close();
});
