// How the executables start. In: the main.ts of one of them. Out: it runs, on a Node that can run it, with what was compiled before.
// Plain JavaScript, as the launchers that import it: it runs on Node 20, and nothing has to be stripped of types before the cache is
// open. With the cache filled, or in an image whose sources have no types left (strip-types.js), no compiler for types is loaded at all:
// that is 25 MB and half of the time a start takes.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as module from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

/** Where it stands, the TypeScript files are JavaScript. Beside the sources, for it says something of them. */
export const STRIPPED = fileURLToPath(new URL("types-are-stripped", import.meta.url));
const bundled = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
/** Beside the packages, for whoever may write here could change the sources as well; never where others can write. */
const cache = fileURLToPath(new URL("../node_modules/.cache/parley-compile", import.meta.url));

/**
 * Imports the module, or runs this process's script again on the Node that came with the packages when this one is too old.
 * NODE_COMPILE_CACHE names another folder for compiled code, NODE_DISABLE_COMPILE_CACHE=1 goes without; so does a folder that
 * cannot be written.
 *
 * @param {URL} main
 */
export async function launch(main) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 12)) {
    if (existsSync(STRIPPED)) module.registerHooks({ load: loadStripped });
    module.enableCompileCache(cache);
    await import(main.href);
  } else if (existsSync(bundled)) {
    const child = spawn(bundled, process.argv.slice(1), { stdio: "inherit" });
    // Sent to this process alone, the child would not have it. Sent to the group, the child has it twice: signal-echo.ts counts it once.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
  } else {
    process.stderr.write(
      `parley needs Node 24.12 or newer; this is ${process.versions.node}. Run npm install, which brings one.\n`,
    );
    process.exit(1);
  }
}

function loadStripped(url, context, next) {
  return next(url, url.endsWith(".ts") ? { ...context, format: "module" } : context);
}
