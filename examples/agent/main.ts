// An example agent to try Parley with. In: options. Out: an A2A server until SIGTERM or SIGINT; then it drains and exits 0.
import { createClock } from "../../process/clock.ts";
import { createSignalEcho } from "../../process/signal-echo.ts";
import { help, parseAgentOptions } from "./options.ts";
import { startAgent } from "./server.ts";

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
      let draining = false;
      const isEcho = createSignalEcho(createClock());
      const stop = (signal = "disconnect"): void => {
        if (isEcho(signal)) return;
        if (draining) process.exit(130);
        draining = true;
        void agent.drain(parsed.drainMs).then(() => process.exit(0));
      };
      process.on("SIGTERM", stop);
      process.on("SIGINT", stop);
      // Started by a process that is gone: end too, so that the port is free.
      if (process.connected) process.once("disconnect", stop);
    } catch (error) {
      console.error(`agent ${name}, copy ${copy}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}
