// Child processes of the tests: started, watched for a condition, ended by id.
// In: a command. Out: a handle whose output can be waited on and whose end is certain.
import { spawn } from "node:child_process";
import { createServer } from "node:net";

export interface Child {
  readonly pid: number;
  /** Everything written so far to both outputs. */
  output(): string;
  /** Resolves with the first whole line (past or future) that matches; rejects when the process ends before. */
  line(pattern: RegExp): Promise<string>;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  exited(): boolean;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when `graceMs` have passed; resolves when it is gone. */
  stop(graceMs?: number): Promise<number | string>;
}

/** Starts a command. With `group` it leads a process group, and a signal reaches all of it, as Ctrl-C at a terminal does. */
export function start(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly cwd?: string;
    readonly name?: string;
    readonly group?: boolean;
    /** About how many characters of its output are kept, the last ones; by default all. */
    readonly keep?: number;
  } = {},
): Child {
  const child = spawn(command, args, {
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: options.group === true,
  });
  const name = options.name ?? command;
  // A test that dies before its clean-up leaves nothing running.
  const kill = (): void => void child.kill("SIGKILL");
  // Each child is one listener: many are no leak.
  process.setMaxListeners(process.getMaxListeners() + 1);
  process.once("exit", kill);
  let text = "";
  const waiting = new Set<() => void>();
  const hear = (chunk: string): void => {
    text += chunk;
    if (text.length > 2 * (options.keep ?? Infinity)) text = text.slice(-(options.keep ?? 0));
    for (const check of waiting) check();
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  const ended = new Promise<number | string>((resolve) => {
    child.on("error", (error) => {
      text += `${error.message}\n`;
      resolve(-1);
    });
    child.on("close", (code, signal) => {
      process.off("exit", kill);
      process.setMaxListeners(process.getMaxListeners() - 1);
      resolve(code ?? signal ?? -1);
    });
  });
  let end: number | string | undefined;
  void ended.then((value) => {
    end = value;
    for (const check of waiting) check();
  });
  const signal = (name: NodeJS.Signals): void => {
    if (end !== undefined || child.pid === undefined) return;
    if (options.group === true) process.kill(-child.pid, name);
    else child.kill(name);
  };
  return {
    pid: child.pid ?? -1,
    output: () => text,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const lines = text.split("\n");
          // The last one may be half of a line as long as there is more to come.
          if (end === undefined) lines.pop();
          const found = lines.find((line) => pattern.test(line));
          if (found === undefined && end === undefined) return;
          waiting.delete(check);
          if (found === undefined) reject(new Error(`${name} ended (${end}) before it said ${pattern}:\n${text}`));
          else resolve(found);
        };
        waiting.add(check);
        check();
      }),
    ended,
    exited: () => end !== undefined,
    signal,
    stop: async (graceMs = 15_000) => {
      if (end === undefined) {
        signal("SIGCONT");
        signal("SIGTERM");
        const timer = setTimeout(() => signal("SIGKILL"), graceMs);
        await ended;
        clearTimeout(timer);
      }
      return ended;
    },
  };
}

/** Ports below those that the system gives to connections; test files that run at the same time have a part each (VITEST_POOL_ID counts them). */
const PORTS = { first: 12_000, each: 1_000, parts: 16 };
/** Where the next look begins: anywhere, for runs that know nothing of each other. */
let next = Math.floor(Math.random() * PORTS.each);

/**
 * A TCP port that is free on the address and given to nobody else: whoever it is for may take seconds to listen on it.
 * @throws Error when this part has no more
 */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  const part = Number(process.env["VITEST_POOL_ID"] ?? 0) % PORTS.parts;
  for (let looked = 0; looked < PORTS.each; looked += 1) {
    next = (next + 1) % PORTS.each;
    const port = PORTS.first + part * PORTS.each + next;
    if (await isFree(host, port)) return port;
  }
  throw new Error("no port is left");
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** Thrown by a condition that can never come true. */
export class Fatal extends Error {}

/** Polls a condition until it gives a value; for what can only be asked, not awaited. Fails with `what` after `ms`. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  ms = 60_000,
  everyMs = 20,
): Promise<T> {
  const end = performance.now() + ms;
  let last = "";
  while (performance.now() < end) {
    try {
      const value = await ask();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      if (error instanceof Fatal) throw error;
      last = ` (${error instanceof Error ? error.message : "thrown"})`;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`not within ${ms} ms: ${what}${last}`);
}
