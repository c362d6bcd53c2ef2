#!/usr/bin/env node
// The operator's executable. In: arguments, environment, signals. Out: a running operator; exit 2 with every fault of the
// configuration, 0 after SIGTERM.
import { randomUUID } from "node:crypto";
import { Registry, collectDefaultMetrics } from "prom-client";
import { createClock } from "../process/clock.ts";
import { createLog, openLogOutput } from "../process/log.ts";
import { earlyExit } from "../process/options.ts";
import { createShutdown } from "../process/shutdown.ts";
import { readVersion } from "../process/version.ts";
import { OPERATOR_COMMAND, parseOperatorConfig } from "./config.ts";
import { createKubeClient } from "./kube/client.ts";
import { loadKubeConfig } from "./kube/kube-config.ts";
import { createOperator } from "./operator.ts";

const { env } = process;
const parsed = parseOperatorConfig({ argv: process.argv.slice(2), env, randomId: randomUUID });
const kube =
  parsed.kind === "run"
    ? loadKubeConfig({
        kubeconfig: parsed.config.kubeconfig,
        variable: env["KUBECONFIG"],
        inCluster: env["KUBERNETES_SERVICE_HOST"] !== undefined,
      })
    : undefined;
const names = { command: OPERATOR_COMMAND.command, version: readVersion() };
if (parsed.kind !== "run") {
  print(earlyExit(parsed, names));
} else if (kube?.ok === false) {
  print(earlyExit({ kind: "faults", faults: [kube.fault] }, names));
} else if (kube !== undefined) {
  const { config } = parsed;
  const pretty = config.logFormat === "pretty" || (config.logFormat === "auto" && process.stdout.isTTY);
  const output = openLogOutput({ fd: 1, pretty, colours: process.stdout.isTTY });
  const log = createLog({ output, level: config.logLevel, name: "parley-operator" });
  const clock = createClock();
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const shutdown = createShutdown({
    log,
    clock,
    signals: process,
    exit: (code) => {
      output.flush();
      process.exit(code);
    },
    limit: 10_000,
  });
  const client = createKubeClient({ config: kube.config, now: () => clock.elapsed() });
  const operator = createOperator({ config, client, clock, random: Math.random, log, registry });
  shutdown.step("operator", () => operator.close());
  try {
    await operator.start();
  } catch (error) {
    log.error({ err: error }, "operator cannot start");
    await shutdown.stop("start failed", 1);
  }
}

/** Says why nothing is started, and ends with the code that belongs to it. */
function print(exit: ReturnType<typeof earlyExit>): void {
  if (exit === undefined) return;
  (exit.code === 0 ? process.stdout : process.stderr).write(exit.text);
  process.exitCode = exit.code;
}
