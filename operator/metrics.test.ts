import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { createOperatorMetrics } from "./metrics.ts";

describe("createOperatorMetrics", () => {
  it("reads what is looked at only when it is scraped, and shows a bounded number of proxies", async () => {
    const registry = new Registry();
    const metrics = createOperatorMetrics(registry, ["A2AAgent", "Secret"]);
    let proxies = 300;
    let version = "v1";
    metrics.watch({
      objects: (kind) => (kind === "Secret" ? 3 : 1),
      rows: () => 7,
      subscribers: (stream) => (stream === "applied" ? proxies : 2),
      lag: () => Array.from({ length: proxies }, (_, at) => ({ proxy: `p${at}`, batches: at })),
      held: (kind) => (kind === "Secret" ? 21 : 0),
      synced: (kind) => kind === "Secret",
      statusesWaiting: () => 2,
      version: () => version,
      claims: () => true,
    });
    metrics.leader(true);
    metrics.renewalFailed();
    metrics.publisher.sent("changes", 100);
    metrics.publisher.greeted("standby", 0);
    metrics.publisher.greeted("buckets", 3);
    metrics.publisher.ackRefused("OtherVersion");
    metrics.reflector("Secret").failed("expired");
    metrics.status.written("VirtualKey", "ok");
    const lines = (await registry.metrics()).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        'parley_operator_objects{kind="Secret"} 3',
        'parley_operator_held_objects{kind="Secret"} 21',
        'parley_operator_held_objects{kind="A2AAgent"} 0',
        'parley_operator_synced{kind="A2AAgent"} 0',
        "parley_operator_rows 7",
        'parley_operator_table_info{version="v1"} 1',
        'parley_operator_stream_subscribers{stream="applied"} 300',
        'parley_operator_stream_subscribers{stream="standby"} 2',
        'parley_operator_stream_bytes_total{batch="snapshot"} 0',
        'parley_operator_stream_bytes_total{batch="changes"} 100',
        'parley_operator_streams_total{first="standby"} 1',
        'parley_operator_streams_total{first="buckets"} 1',
        "parley_operator_resync_buckets_total 3",
        'parley_operator_acks_refused_total{reason="OtherVersion"} 1',
        'parley_operator_publish_lag{proxy="p199"} 199',
        "parley_operator_leader 1",
        "parley_operator_leader_claimed 1",
        "parley_operator_lease_renewals_failed_total 1",
        'parley_operator_watch_errors_total{kind="Secret",error="expired"} 1',
        'parley_operator_relists_total{kind="A2AAgent"} 0',
        'parley_operator_status_writes_total{kind="VirtualKey",result="ok"} 1',
      ]),
    );
    expect(lines.filter((line) => line.startsWith("parley_operator_publish_lag{"))).toHaveLength(200);

    proxies = 1;
    version = "v2";
    const later = await registry.metrics();
    expect(later).toContain('parley_operator_table_info{version="v2"} 1');
    expect(later).not.toContain('version="v1"');
    expect(later.match(/parley_operator_publish_lag\{/g)).toHaveLength(1);
  });
});
