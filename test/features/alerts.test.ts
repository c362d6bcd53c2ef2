// Rules by Prometheus' own tools: each alert fires when it should, and stays quiet when it should not.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { RULES } from "../../dashboards/rules.ts";

const root = join(import.meta.dirname, "../..");
const rules = join(root, "dashboards/generated/rules.yaml");

interface Case {
  readonly alert: string;
  /** Series by minute, in promtool's notation. */
  readonly fires: Readonly<Record<string, string>>;
  readonly quiet: Readonly<Record<string, string>>;
  /** When it is looked at. */
  readonly at: string;
}

const requests = (outcome: string): string =>
  `parley_requests_total{agent="a/b",operation="SendMessage",outcome="${outcome}",instance="p"}`;
const bucket = (le: string): string =>
  `parley_first_byte_seconds_bucket{agent="a/b",operation="SendMessage",le="${le}"}`;
const one = (series: string, values: string): Record<string, string> => ({ [series]: values });

const CASES: readonly Case[] = [
  {
    alert: "ParleyAgentFailingFast",
    at: "70m",
    fires: { [requests("ok")]: "0+50x80", [requests("upstream_error")]: "0+50x80" },
    quiet: { [requests("ok")]: "0+95x80", [requests("upstream_error")]: "0+5x80", [requests("refused")]: "0+900x80" },
  },
  {
    alert: "ParleyAgentFailingSlowly",
    at: "400m",
    fires: { [requests("ok")]: "0+90x420", [requests("agent_error")]: "0+10x420" },
    quiet: { [requests("ok")]: "0+98x420", [requests("agent_error")]: "0+2x420" },
  },
  {
    alert: "ParleyAgentSlow",
    at: "30m",
    fires: { [bucket("10")]: "0+1x40", [bucket("60")]: "0+10x40", [bucket("+Inf")]: "0+10x40" },
    quiet: { [bucket("10")]: "0+10x40", [bucket("60")]: "0+10x40", [bucket("+Inf")]: "0+10x40" },
  },
  {
    alert: "ParleyNoEndpoints",
    at: "10m",
    fires: one('parley_refusals_total{reason="NoEndpoints"}', "0+1x20"),
    quiet: one('parley_refusals_total{reason="NoEndpoints"}', "7+0x20"),
  },
  {
    alert: "ParleyTableBehind",
    at: "5m",
    fires: one('parley_table_age_seconds{instance="p"}', "0+20x10"),
    quiet: { 'parley_table_age_seconds{instance="p"}': "0.2+0x10", 'parley_table_complete{instance="p"}': "1+0x10" },
  },
  {
    alert: "ParleyTablesDiffer",
    at: "10m",
    fires: {
      'parley_table_version{job="proxy",instance="p"}': "5+0x20",
      'parley_table_version{job="proxy",instance="q"}': "6+0x20",
    },
    quiet: {
      'parley_table_version{job="proxy",instance="p"}': "5+0x20",
      'parley_table_version{job="proxy",instance="q"}': "4 5+0x20",
    },
  },
  {
    alert: "ParleyRowsRefused",
    at: "10m",
    fires: one("parley_table_refused_rows", "2+0x20"),
    quiet: one("parley_table_refused_rows", "2 0+0x20"),
  },
  {
    alert: "ParleyOperatorWithoutLeader",
    at: "5m",
    fires: { 'parley_operator_leader{instance="a"}': "1 0+0x10", 'parley_operator_leader{instance="b"}': "0+0x10" },
    quiet: { 'parley_operator_leader{instance="a"}': "1 0+0x10", 'parley_operator_leader{instance="b"}': "0 1+0x10" },
  },
  {
    alert: "ParleyStatusWritesFail",
    at: "20m",
    fires: one('parley_operator_status_writes_total{kind="A2AAgent",result="Refused"}', "0+1x30"),
    quiet: one('parley_operator_status_writes_total{kind="A2AAgent",result="ok"}', "0+1x30"),
  },
  {
    alert: "ParleyKeyRefusals",
    at: "69m",
    fires: one('parley_key_refusals_total{reason="Unknown"}', "0+6x60 960+600x20"),
    quiet: one('parley_key_refusals_total{reason="Unknown"}', "0+600x90"),
  },
  ...["parley_log_dropped_total", 'parley_otlp_dropped_total{signal="logs"}', "parley_request_log_dropped_total"].map(
    (series) => ({
      alert: "ParleyRecordsDropped",
      at: "10m",
      fires: one(series, "0+1x20"),
      quiet: one(series, "3+0x20"),
    }),
  ),
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-alerts-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const promtool = (...args: string[]): string => {
  try {
    return execFileSync("promtool", args, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout = "", stderr = "", message = "" } = error as { stdout?: string; stderr?: string; message?: string };
    throw new Error(`${message}\n${stdout}\n${stderr}`, { cause: error });
  }
};

test("the rules are valid, and every alert has its page", () => {
  expect(promtool("check", "rules", rules)).toContain("SUCCESS");
  const alerts = RULES.flatMap((group) => group.rules).flatMap(({ alert }) => (alert === undefined ? [] : [alert]));
  expect(alerts.filter((alert) => !existsSync(join(root, `docs/runbooks/${alert}.md`)))).toEqual([]);
  expect(new Set(CASES.map(({ alert }) => alert))).toEqual(new Set(alerts));
});

test.each(CASES)("$alert fires, and does not ($at)", ({ alert, fires, quiet, at }) => {
  const leader = { 'parley_operator_leader{instance="leads"}': "1+0x500" };
  const input = (series: Readonly<Record<string, string>>): object[] =>
    Object.entries(alert === "ParleyOperatorWithoutLeader" ? series : { ...leader, ...series }).map(
      ([name, values]) => ({
        series: name,
        values,
      }),
    );
  const expr = `count(ALERTS{alertname="${alert}",alertstate="firing"})`;
  const file = join(folder, "case.yaml");
  const suite = (series: Readonly<Record<string, string>>, samples: object[]): object => ({
    interval: "1m",
    input_series: input(series),
    promql_expr_test: [{ expr, eval_time: at, exp_samples: samples }],
  });
  writeFileSync(
    file,
    stringify({
      rule_files: [rules],
      evaluation_interval: "1m",
      tests: [suite(fires, [{ labels: "{}", value: 1 }]), suite(quiet, [])],
    }),
  );
  expect(promtool("test", "rules", file)).toContain("SUCCESS");
});
