// A real Prometheus for the tests. In: a folder, what it scrapes. Out: its answers.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Child, eventually, freePort, start } from "./processes.ts";

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface Prometheus extends Child {
  /** The result of a query, as `query` with `{ query }`; throws what Prometheus says is wrong with it. */
  ask(path: string, query: Readonly<Record<string, string>>): Promise<readonly Sample[]>;
}

/** Scrapes every half second; Debian's package has the program. */
export async function startPrometheus(
  folder: string,
  options: {
    readonly rules?: readonly string[];
    /** Host and port, by job. */ readonly scrapes: Readonly<Record<string, readonly string[]>>;
  },
): Promise<Prometheus> {
  const port = await freePort();
  const file = join(folder, "prometheus.yaml");
  writeFileSync(
    file,
    stringify({
      global: { scrape_interval: "500ms", scrape_timeout: "500ms", evaluation_interval: "1s" },
      rule_files: options.rules ?? [],
      scrape_configs: Object.entries(options.scrapes).map(([job, targets]) => ({
        job_name: job,
        static_configs: [{ targets }],
      })),
    }),
  );
  const child = start("prometheus", [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--enable-feature=exemplar-storage",
  ]);
  const url = `http://127.0.0.1:${port}`;
  await eventually("Prometheus is ready", async () =>
    (await fetch(`${url}/-/ready`)).status === 200 ? true : undefined,
  );
  return {
    ...child,
    async ask(path, query) {
      const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query).toString()}`);
      const body = (await answer.json()) as { status: string; error?: string; data: { result?: Sample[] } & Sample[] };
      if (body.status !== "success") throw new Error(`${query["query"]}: ${body.error}`);
      return body.data.result ?? body.data;
    },
  };
}
