// An example agent to try Parley with. In: options. Out: an A2A server until SIGTERM or SIGINT; then it drains and exits 0. Its image has this
// folder alone: nothing of the gateway is imported.
import { help, parseAgentOptions } from "./options.ts";
import { startAgent } from "./server.ts";

/** Milliseconds in which a signal that comes again is the same one: a terminal tells the group, and npm tells it once more. */
const ECHO_MS = 500;

const parsed = parseAgentOptions(process.argv.slice(2));
switch (parsed.kind) {
  case "help":
    process.stdout.write(help);
    break;
  case "faults":
    console.error(`${parsed.faults.join("\n")}\n\n${help}`);
    process.exitCode = 2;
    break;
  case "run": {
    const { name, copy } = parsed.options;
    try {
      const agent = await startAgent(parsed.options);
      console.log(`agent ${name}, copy ${copy}, listening on ${agent.url}`);
      let stoppedAt: number | undefined;
      const stop = (): void => {
        if (stoppedAt !== undefined && performance.now() - stoppedAt < ECHO_MS) return;
        if (stoppedAt !== undefined) process.exit(130);
        stoppedAt = performance.now();
        void agent.drain(parsed.drainMs).then(() => process.exit(0));
      };
      process.on("SIGTERM", stop);
      process.on("SIGINT", stop);
      // Started by a process that is gone: end too, so that the port is free.
      if (process.connected) process.once("disconnect", stop);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const taken = `port ${parsed.options.port} is in use: end what listens there, or choose another with --port or --host`;
      console.error(`agent ${name}, copy ${copy}: ${code === "EADDRINUSE" ? taken : message}`);
      process.exitCode = 1;
    }
  }
}
