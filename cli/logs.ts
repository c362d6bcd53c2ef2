// `parley logs`: what was asked of the gateway. In: the request log of `parley serve`. Out: its lines, filtered and followed, or sums.
import { setTimeout as sleep } from "node:timers/promises";
import { option } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";
import { parseOptions } from "../process/options.ts";
import { openForReading } from "../proxy/observe/request-log/database.ts";
import {
  createRequestQueries,
  type RequestFilter,
  type RequestQueries,
  type RequestSum,
  SUM_BY,
  type SumBy,
} from "../proxy/observe/request-log/queries.ts";
import { OUTCOMES } from "../proxy/observe/series.ts";
import { visible } from "../process/visible.ts";
import type { Command, Io } from "./io.ts";
import { enterCallersFolder } from "./npm.ts";
import { requestLogFile, requestLogOption } from "./request-log-file.ts";
import { createRequestLines } from "./request-line.ts";
import { answerUsage } from "./usage.ts";

/** How often new requests are looked for; milliseconds. */
const POLL = 250;
/** Lines that are read at once while following. */
const PAGE = 1000;

const name = value.text("NAME", /^[^\0]{1,320}$/, "a name");

const table = {
  requestLog: requestLogOption,
  agent: option(name, {
    group: "Filter",
    help: "Requests of this agent: namespace/name, or a name in the namespace default.",
  }),
  key: option(name, { group: "Filter", help: "Requests with this key, in the same form." }),
  team: option(name, { group: "Filter", help: "Requests of this team's keys." }),
  operation: option(name, { group: "Filter", help: "Requests of this operation, as SendMessage." }),
  outcome: option(value.oneOf(OUTCOMES), { group: "Filter", help: "Requests that ended so." }),
  reason: option(name, { group: "Filter", help: "Requests that the gateway refused for this reason." }),
  trace: option(name, { group: "Filter", help: "Requests of this trace id." }),
  since: option(value.duration, { group: "Filter", help: "Requests of this last while, as 1h." }),
  limit: option(value.integer(1, 1_000_000), {
    group: "Output",
    default: "50",
    help: "How many of the last ones are shown.",
  }),
  follow: option(value.boolean, {
    group: "Output",
    default: "false",
    help: "Goes on with new requests until Ctrl-C; -f for short.",
  }),
  sum: option(value.oneOf(SUM_BY), {
    group: "Output",
    help: "Instead of requests: their number, failures, cost and mean time, by this.",
  }),
  output: option(value.oneOf(["text", "json"]), {
    group: "Output",
    default: "text",
    help: "text is short lines for people; json is one object a line, with every field.",
  }),
};

const command = {
  command: "parley logs",
  flagsOnly: true,
  summary: "Shows the requests that parley serve kept, the newest last; filters, follows and sums them.",
} as const;

export const logs: Command = async (argv, io) => {
  const parsed = parseOptions(table, command, {
    argv: argv.map((word) => (word === "-f" ? "--follow" : word)),
    env: io.env,
  });
  if (parsed.kind !== "run") return answerUsage(parsed, command.command, io);
  enterCallersFolder(io.env);
  const { options } = parsed;
  const file = requestLogFile(options.requestLog ?? io.env["PARLEY_REQUEST_LOG"], io.env);
  if (file === undefined) {
    io.err("parley logs: --request-log=none names no file\n");
    return 2;
  }
  let database: ReturnType<typeof openForReading>;
  let queries: RequestQueries;
  try {
    database = openForReading(file);
    queries = createRequestQueries(database);
    // Whether it is a request log shows with the first question.
    queries.lines({}, { limit: 1 });
  } catch {
    io.err(
      `parley logs: ${visible(file)} is no request log, or is not there yet: parley serve makes it (see --request-log)\n`,
    );
    return 1;
  }
  const filter: RequestFilter = {
    agent: inNamespace(options.agent),
    key: inNamespace(options.key),
    team: options.team,
    operation: options.operation,
    outcome: options.outcome,
    reason: options.reason,
    trace: options.trace,
    since: options.since === undefined ? undefined : Date.now() - options.since,
  };
  try {
    if (options.sum !== undefined) {
      say(queries.sums(filter, options.sum), options.sum, options.output, io);
      return 0;
    }
    const write = options.output === "json" ? io.out : createRequestLines(io.out, io.outColours);
    let last = 0;
    const show = (found: ReturnType<RequestQueries["lines"]>): void => {
      for (const { id, line } of found) {
        write(`${line}\n`);
        last = id;
      }
    };
    show(queries.lines(filter, { limit: options.limit }));
    if (last === 0 && !options.follow) io.err("no such request is kept\n");
    while (options.follow) {
      await sleep(POLL);
      show(queries.lines(filter, { limit: PAGE, after: last }));
    }
    return 0;
  } finally {
    database.close();
  }
};

const inNamespace = (name: string | undefined): string | undefined =>
  name === undefined || name.includes("/") ? name : `default/${name}`;

function say(sums: readonly RequestSum[], by: SumBy, output: "text" | "json", io: Io): void {
  if (output === "json") {
    for (const { group, requests, failed, cost, latency } of sums) {
      io.out(
        `${JSON.stringify({ [by]: group, requests, failed, cost, latency_ms: Math.round(latency * 1000) / 1000 })}\n`,
      );
    }
    return;
  }
  const rows = [
    [by, "requests", "failed", "cost", "mean ms"],
    ...sums.map(({ group, requests, failed, cost, latency }) => [
      group === "" ? "-" : visible(group),
      String(requests),
      String(failed),
      cost,
      latency.toFixed(1),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    io.out(`${cells.join("  ")}\n`);
  }
}
