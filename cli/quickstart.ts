// `npm start`: a gateway to try. In: --port. Out: two copies of the example agent, and the gateway over examples/quickstart, until Ctrl-C.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { createClock } from "../process/clock.ts";
import { option } from "../process/option-table.ts";
import type { Command } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";
import { parseOptions } from "../process/options.ts";
import { createSignalEcho } from "../process/signal-echo.ts";
import { readVersion } from "../process/version.ts";
import { codeOf } from "./folder.ts";
import { visible } from "../process/visible.ts";
import { createPaint, hasColours } from "./terminal.ts";
import { answerUsage } from "./usage.ts";

const root = resolve(import.meta.dirname, "..");
const folder = relative(process.cwd(), resolve(root, "examples/quickstart"));
/** As examples/quickstart/agent.yaml has them. */
const copies = [
  { copy: "a", port: 10_001 },
  { copy: "b", port: 10_002 },
];

const table = {
  port: option(value.integer(1, 65_535), {
    group: "Gateway",
    default: "4000",
    help: "Port of the gateway, on 127.0.0.1.",
  }),
};
const command: Command = {
  command: "npm start --",
  flagsOnly: true,
  summary:
    "Starts two copies of the example agent and the gateway in front of them, over the manifests of examples/quickstart. Edit them: " +
    "changes count at once. Ctrl-C ends everything; a second one does not wait for open requests.",
};

const paint = createPaint(hasColours(process.stderr, process.env));
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const parsed = parseOptions(table, command, { argv: process.argv.slice(2), env: {} });
if (parsed.kind === "run") process.exitCode = await run(parsed.options.port);
else {
  process.exitCode = answerUsage(parsed, command.command, {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    version: readVersion(),
  });
}

async function run(port: number): Promise<number> {
  const taken = await takenPorts([...copies.map((each) => each.port), port]);
  if (taken.length > 0) {
    for (const each of taken) {
      const own = each === port;
      say(
        `port ${each} of 127.0.0.1 is in use: end what listens there` +
          (own ? ", or choose another: npm start -- --port N" : " (the example agents need 10001 and 10002)"),
      );
    }
    return 1;
  }
  const children = new Set<ChildProcess>();
  let ending = false;

  /** Children get no signals of the terminal (a session of their own), so that they end in order: first the gateway, then the agents. */
  function start(name: string, args: readonly string[], output: "inherit" | "told"): ChildProcess {
    const child = spawn(process.execPath, [...args], {
      cwd: process.cwd(),
      env: { NODE_COMPILE_CACHE: resolve(root, "node_modules/.cache/parley-compile"), ...process.env },
      detached: true,
      // The channel closes with this process, however that ends; the children then end by themselves.
      stdio: ["ignore", output === "told" ? "pipe" : "inherit", output === "told" ? "pipe" : "inherit", "ipc"],
    });
    children.add(child);
    const tell = (line: string): void => say(paint.dim(`${name}: ${visible(line)}`));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on("line", (line) => line.includes("listening") || tell(line));
    }
    child.on("error", (error) => say(paint.red(`${name} could not be started: ${codeOf(error)}`)));
    child.on("exit", (code, signal) => {
      children.delete(child);
      if (!ending) say(paint.red(`${name} ended (${signal ?? `exit code ${code ?? "unknown"}`})`));
    });
    return child;
  }

  const agents = copies.map(({ copy, port: own }) => {
    const script = resolve(root, "examples/agent/main.ts");
    const child = start(
      `copy ${copy}`,
      // They are told to end once the gateway is gone, and with it whoever they work for.
      [script, `--port=${own}`, "--name=hello", `--copy=${copy}`, "--drain=0"],
      "told",
    );
    return { child, ready: firstLine(child) };
  });

  // The gateway, started last, first: it would tell its clients of each agent that is gone.
  const cut = (): void => {
    for (const child of [...children].toReversed()) child.kill("SIGKILL");
  };
  const stop = new Promise<number>((resolve) => {
    const isEcho = createSignalEcho(createClock());
    let told = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (isEcho(signal)) return;
      if (told) cut();
      told = true;
      resolve(0);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  });
  // Whatever ends this process, the children end too.
  process.on("exit", cut);

  const ready = Promise.all(agents.map((each) => each.ready)).then((all) => all.every(Boolean));
  const begun = await Promise.race([ready, stop]);
  let code = 0;
  if (begun === false) {
    say(paint.red("an agent did not start: the gateway is not started either"));
    code = 1;
  } else if (begun === true) {
    say(paint.dim("Two copies of the example agent run on ports 10001 and 10002. Ctrl-C ends everything.\n"));
    const serve = [resolve(root, "cli/parley.js"), "serve", folder, `--listen=127.0.0.1:${port}`, "--drain-timeout=5s"];
    const gateway = start("gateway", serve, "inherit");
    const ended = once(gateway, "exit").then(([exit]) => (ending ? 0 : ((exit as number | null) ?? 1)));
    code = await Promise.race([ended, stop]);
    ending = true;
    await end([gateway]);
  }
  ending = true;
  await end(agents.map((each) => each.child));
  return code;
}

/** SIGTERM to each that still runs; resolves when they are gone. */
async function end(running: readonly ChildProcess[]): Promise<void> {
  const left = running.filter(
    (child) => child.exitCode === null && child.signalCode === null && child.pid !== undefined,
  );
  const gone = left.map((child) => once(child, "exit"));
  for (const child of left) child.kill("SIGTERM");
  await Promise.all(gone);
}

/** Whether the child said that it listens, before it ended. */
function firstLine(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on("line", (line) => line.includes("listening") && resolve(true));
    }
    child.on("error", () => resolve(false));
    child.on("exit", () => resolve(false));
  });
}

async function takenPorts(ports: readonly number[]): Promise<readonly number[]> {
  const taken: number[] = [];
  for (const port of ports) {
    const server = createServer();
    server.listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
      server.close();
      await once(server, "close");
    } catch {
      taken.push(port);
    }
  }
  return taken;
}
