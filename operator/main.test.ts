import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** Runs the executable to its end; only for what ends by itself. */
function run(...args: string[]): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    env: {},
    encoding: "utf8",
    timeout: 15_000,
  });
  return { status, text: stdout + stderr };
}

describe("the operator's executable", () => {
  it("tells all faults of its options at once and exits with 2", () => {
    const { status, text } = run("--listen=nowhere", "--public-url=ftp://x", "--kubeconfg=x");
    expect(status).toBe(2);
    expect(text).toMatch(/--listen/);
    expect(text).toMatch(/--public-url/);
    expect(text).toMatch(/did you mean --kubeconfig\?/);
  });

  it("exits with 2 when there is no way to an API server", () => {
    expect(run()).toMatchObject({ status: 2, text: expect.stringContaining("--kubeconfig or KUBECONFIG") });
    expect(run("--kubeconfig=/does/not/exist")).toMatchObject({
      status: 2,
      text: expect.stringContaining("cannot be read"),
    });
  });

  it("shows its help without an API server", () => {
    expect(run("--help")).toMatchObject({ status: 0, text: expect.stringContaining("--lease-namespace") });
  });
});
