import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { delay } from "./stream.test-support.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function start(...options: string[]) {
  const child = spawn(process.execPath, [MAIN, ...options], { env: { PATH: process.env["PATH"] ?? "" } });
  children.push(child);
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  return {
    child,
    out: () => out,
    err: () => err,
    exit: new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code))),
    says: async (part: string): Promise<void> => {
      while (!out.includes(part)) await delay();
    },
  };
}

/** Nobody answers there: the proxy starts all the same. */
const serving = ["--operators=http://127.0.0.1:9", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"];

describe("the executable", () => {
  test("says every fault of its options at once, and exits with 2", async () => {
    const { exit, err, out } = start("--listen=nowhere", "--log-level=loud", "--unknown=1");
    expect(await exit).toBe(2);
    for (const fault of ["--listen", "--log-level", "--unknown", "--operators"]) expect(err()).toContain(fault);
    expect(out()).toBe("");
  });

  test("says what it is", async () => {
    const help = start("--help");
    const version = start("--version");
    expect(await help.exit).toBe(0);
    expect(help.out()).toContain("--drain-timeout");
    expect(await version.exit).toBe(0);
    expect(version.out()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("says in one line that a port is taken, and exits with 1", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const elsewhere = serving.filter((one) => !one.startsWith("--listen="));
    try {
      const { exit, err } = start(...elsewhere, `--listen=127.0.0.1:${port}`);
      expect(await exit).toBe(1);
      expect(err()).toBe(
        `parley-proxy: 127.0.0.1:${port} is in use: end what listens there, or choose another with --listen\n`,
      );
    } finally {
      holder.close();
    }
  });

  test("starts with no operator there, and ends with 0 when it is told to", async () => {
    const { child, exit, says, out } = start(...serving, "--drain-delay=0s");
    await says('"msg":"listening"');
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
    expect(out()).toContain('"msg":"drained"');
  });

  test("ends at once at the second signal", async () => {
    const { child, exit, says } = start(...serving, "--drain-delay=60s");
    await says('"msg":"listening"');
    child.kill("SIGTERM");
    await says('"msg":"shutdown"');
    child.kill("SIGINT");
    expect(await exit).toBe(130);
  });

  test("says why it cannot listen", async () => {
    const { exit, err } = start(
      "--operators=http://127.0.0.1:9",
      "--listen=192.0.2.1:80",
      "--admin-listen=127.0.0.1:0",
    );
    expect(await exit).toBe(1);
    expect(err()).toContain("192.0.2.1:80 is no address of this machine");
  });
});
