// Commands that are waited for. In: a command, its input, a limit. Out: its standard output, or an error with all that it said.
import { spawn } from "node:child_process";

export interface ShellOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds; then it is killed. */
  readonly limit?: number;
}

/** Thrown when a command did not end with 0. */
export class CommandFailed extends Error {
  readonly code: number | string;
  readonly output: string;
  constructor(command: string, code: number | string, output: string) {
    super(`${command} ended with ${code}:\n${output.slice(-4_000)}`);
    this.code = code;
    this.output = output;
  }
}

/** Runs a command to its end. @throws CommandFailed */
export function sh(command: string, args: readonly string[], options: ShellOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const { input, env = process.env, cwd, limit = 300_000 } = options;
    const child = spawn(command, args, { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
    let out = "";
    let all = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      all += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (all += text));
    const timer = setTimeout(() => child.kill("SIGKILL"), limit);
    const shown = [command, ...args].join(" ");
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new CommandFailed(shown, -1, error.message));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(out);
      else reject(new CommandFailed(shown, code ?? signal ?? -1, all));
    });
    // A command that does not read its input closes it: its own end says the rest.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
  });
}
