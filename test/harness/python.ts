// Python interpreters with an A2A SDK: one virtual environment for each pinned set of packages, made once.
// In: the name of a requirements file beside this one. Out: the path of an interpreter.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./go-tools.ts";
import { start } from "./processes.ts";

export type PythonSdk = "a2a-sdk-0.3" | "a2a-sdk-1.3";

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = start(command, args);
  const code = await child.ended;
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${child.output().slice(-2_000)}`);
}

/**
 * Path of a Python that has the SDK; makes the virtual environment when it is not there yet.
 * @throws Error that says what to install, when Python or its venv module is missing.
 */
export async function pythonWith(sdk: PythonSdk, say: (line: string) => void = () => undefined): Promise<string> {
  const requirements = join(import.meta.dirname, "python", `${sdk}.txt`);
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = join(cacheFolder(), `python-${sdk}-${digest}`);
  const python = join(folder, "bin", "python");
  const finished = join(folder, "installed");
  if (existsSync(finished)) return python;
  say(`Installing ${sdk} into ${folder} (once).`);
  // Made aside and moved into place, so that two runs at once never see a half of it.
  mkdirSync(cacheFolder(), { recursive: true });
  const made = mkdtempSync(join(cacheFolder(), "python-"));
  try {
    await run("python3", ["-m", "venv", made]);
  } catch (error) {
    throw new Error(
      "The tests call the gateway with Python clients. Install Python 3.10 or newer with its venv module (Debian: python3-venv).",
      {
        cause: error,
      },
    );
  }
  await run(join(made, "bin", "python"), [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "-r",
    requirements,
  ]);
  writeFileSync(join(made, "installed"), "");
  try {
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(finished)) throw error;
  }
  return python;
}
