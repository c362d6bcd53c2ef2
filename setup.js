// Installs what the project needs, if it is not there: `npm start`, `npm test` and the like run this first. In: package-lock.json, node_modules.
// Out: node_modules as the lock file says, or a clear reason why not. Plain JavaScript: it runs on Node 20 with nothing installed.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));
/** npm writes this last, so an install that was cut off does not count. */
const installed = `${root}node_modules/.package-lock.json`;
const wanted = `${root}package-lock.json`;
const node = `${root}node_modules/node/bin/node`;

const [major] = process.versions.node.split(".").map(Number);
if (major < 20) {
  console.error(
    `Parley needs Node 20 or newer to install itself; this is ${process.versions.node}. See https://nodejs.org`,
  );
  process.exit(1);
}
if (isCurrent()) process.exit(0);

const terminal = process.stderr.isTTY === true;
console.error("Installing what Parley needs (once, about a minute)…");
const started = Date.now();
const code = await install();
if (terminal) process.stderr.write("\r\u001b[K");
if (code !== 0) {
  console.error(
    code === "ENOENT"
      ? "npm was not found: it comes with Node, see https://nodejs.org"
      : [
          `npm ci ended with ${code}. What it said stands above.`,
          "Without a network, or behind a proxy: npm needs its registry; see `npm config get registry` and `npm config get proxy`.",
          "Then run the same command again.",
        ].join("\n"),
  );
  process.exit(1);
}
if (!existsSync(node)) {
  console.error(
    "npm installed everything but the Node that Parley runs on (package `node`): its install script was not run.\n" +
      "Allow install scripts (`npm config set ignore-scripts false`), remove node_modules, and run the same command again.",
  );
  process.exit(1);
}
console.error(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);

/** Whether node_modules is whole and not older than the lock file. */
function isCurrent() {
  if (!existsSync(installed) || !existsSync(node)) return false;
  if (statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return true;
  // A checkout gives the lock file a new time without a new content: what counts is whether the same packages are there.
  return samePackages();
}

function samePackages() {
  try {
    const read = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
    const there = read(installed);
    return Object.entries(read(wanted)).every(
      ([path, { version, optional, integrity }]) =>
        path === "" ||
        (there[path] === undefined ? optional === true : sameVersion(there[path], { version, integrity })),
    );
  } catch {
    return false;
  }
}

function sameVersion(there, { version, integrity }) {
  return there.version === version && there.integrity === integrity;
}

/** Exit code of npm, or the code of the error that kept it from starting. */
function install() {
  return new Promise((resolve) => {
    const child = spawn("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      shell: process.platform === "win32",
    });
    const seconds = setInterval(() => {
      const passed = Math.round((Date.now() - started) / 1000);
      if (terminal) process.stderr.write(`\r\u001b[K  npm ci … ${passed} s`);
      else if (passed % 15 === 0) console.error(`  npm ci … ${passed} s`);
      if (passed === 120) {
        const hint = "  Still at it: npm tries for minutes where there is no network, or its registry does not answer.";
        console.error(`${terminal ? "\r\u001b[K" : ""}${hint}`);
      }
    }, 1000);
    const end = (code) => {
      clearInterval(seconds);
      resolve(code);
    };
    child.on("error", (error) => end(error.code ?? error.message));
    child.on("close", (code, signal) => end(code ?? signal));
  });
}
