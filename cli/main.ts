// The command line: `parley <command>`. In: arguments, environment, standard streams. Out: what the command prints, and its exit code.
import { text } from "node:stream/consumers";
import { didYouMean } from "../process/did-you-mean.ts";
import { readVersion } from "../process/version.ts";
import type { Command, Io } from "./io.ts";
import { hasColours } from "./terminal.ts";

/** Each is loaded when it is called: a check should not wait for a gateway to be read. */
const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  serve: {
    summary: "Serve a folder of manifests: the whole gateway in one process.",
    load: async () => (await import("./serve.ts")).serve,
  },
  logs: {
    summary: "Show, follow and sum the requests that serve kept.",
    load: async () => (await import("./logs.ts")).logs,
  },
  check: {
    summary: "Check manifests without a cluster.",
    load: async () => (await import("./check.ts")).check,
  },
  key: {
    summary: "Make a virtual key and its manifests.",
    load: async () => (await import("./key.ts")).key,
  },
  confirm: {
    summary: "Show, and drop with --yes, what operators hold because a list lacked most of it.",
    load: async () => (await import("./confirm.ts")).confirm,
  },
  status: {
    summary: "Show what runs in a cluster, and what is not well.",
    load: async () => (await import("./status.ts")).status,
  },
};

const help = `Usage: parley COMMAND [options]

An A2A gateway.

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
  .join("\n")}

parley COMMAND --help tells more; parley --version prints the version.
`;

const io: Io = {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  outIsTerminal: process.stdout.isTTY,
  errIsTerminal: process.stderr.isTTY,
  outColours: hasColours(process.stdout, process.env),
  errColours: hasColours(process.stderr, process.env),
  readStdin: () => text(process.stdin),
  version: readVersion(),
};

/** A reader of the output that went away (as `| head` does) is no fault. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

async function run([name, ...argv]: readonly string[]): Promise<number> {
  if (name === undefined) {
    io.err(help);
    return 2;
  }
  if (name === "--help" || name === "-h" || name === "help") {
    const [asked] = argv;
    if (asked !== undefined && !asked.startsWith("-")) return run([asked, "--help"]);
    io.out(help);
    return 0;
  }
  if (name === "--version") {
    io.out(`${io.version}\n`);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return (await command.load())(argv, io);
  const meant = didYouMean(name, Object.keys(commands));
  const hint = meant === undefined ? "see parley --help" : `did you mean parley ${meant}?`;
  io.err(`parley: there is no command ${JSON.stringify(name.slice(0, 80))}: ${hint}\n`);
  return 2;
}

/** Started by a process that wants this one to end with it, however it ends itself. */
if (process.connected) process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));

process.exitCode = await run(process.argv.slice(2));
