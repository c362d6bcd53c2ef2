// The operator's metrics. In: what the parts report, and what can be read of them when scraped. Out: Prometheus series under
// fixed names; label values come from fixed lists, and of proxies a bounded number is shown.
import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";
import type { Kind } from "./objects.ts";
import { REFUSAL_REASONS } from "./publish/authenticate.ts";
import type { RefusalReason } from "./publish/authenticate.ts";
import type { PublisherDeps } from "./publish/publisher.ts";

/** Proxies that have a series of their own. */
const MOST_PROXIES = 200;

const BATCH_KINDS = ["snapshot", "buckets", "changes"] as const;

export interface Scraped {
  objects(kind: Kind): number;
  rows(): number;
  subscribers(kind: "applied" | "standby"): number;
  /** Per proxy: batches that it has not acknowledged. */
  lag(): readonly { readonly proxy: string; readonly batches: number }[];
  held(kind: Kind): number;
  synced(kind: Kind): boolean;
  statusesWaiting(): number;
  version(): string;
  claims(): boolean;
}

export interface OperatorMetrics {
  readonly reflector: (kind: Kind) => { listed(): void; failed(error: string): void };
  readonly translated: (seconds: number) => void;
  readonly publisher: PublisherDeps["metrics"];
  readonly status: { written(kind: string, result: string): void };
  readonly event: (result: string) => void;
  readonly cardRead: (outcome: string) => void;
  /** A caller at the listener of the proxies was turned away. */
  readonly refused: (reason: RefusalReason) => void;
  readonly leader: (holding: boolean) => void;
  readonly renewalFailed: () => void;
  /** Tells where values are read that are only looked at when scraped. Once. */
  watch(scraped: Scraped): void;
}

/** All series of the operator, at zero from the start where their labels are known. */
export function createOperatorMetrics(registry: Registry, kinds: readonly Kind[]): OperatorMetrics {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const lists = counter("parley_operator_relists_total", "Whole lists read from the API server.", ["kind"]);
  const errors = counter("parley_operator_watch_errors_total", "Lists and watches that failed.", ["kind", "error"]);
  const batches = counter("parley_operator_batches_total", "Batches published.");
  const lines = counter("parley_operator_batch_lines_total", "Row changes published.");
  const cuts = counter("parley_operator_streams_cut_total", "Streams cut because the proxy took nothing.");
  const refusals = counter("parley_operator_stream_refusals_total", "Callers turned away by their token.", ["reason"]);
  for (const reason of REFUSAL_REASONS) refusals.inc({ reason }, 0);
  const bytes = counter("parley_operator_stream_bytes_total", "Bytes of batches given to streams.", ["batch"]);
  const greetings = counter("parley_operator_streams_total", "Streams opened, by what they began with.", ["first"]);
  const resynced = counter("parley_operator_resync_buckets_total", "Buckets sent because they differed.");
  const ackRefusals = counter("parley_operator_acks_refused_total", "Acknowledgements that were not taken.", [
    "reason",
  ]);
  const writes = counter("parley_operator_status_writes_total", "Writes of statuses.", ["kind", "result"]);
  const events = counter("parley_operator_events_total", "Events told to the API server.", ["result"]);
  const cards = counter("parley_operator_card_reads_total", "Reads of agents' cards, by backend.", ["outcome"]);
  const translate = new Histogram({
    name: "parley_operator_translate_seconds",
    help: "Time of one translation of what changed.",
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const acks = new Histogram({
    name: "parley_operator_publish_ack_seconds",
    help: "From a batch to its acknowledgement by a proxy that applies it.",
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
    registers,
  });
  const leader = new Gauge({
    name: "parley_operator_leader",
    help: "1 while this process holds the Lease.",
    registers,
  });
  const renewals = counter("parley_operator_lease_renewals_failed_total", "Renewals of the held Lease that failed.");
  for (const kind of kinds) lists.inc({ kind }, 0);
  for (const batch of BATCH_KINDS) bytes.inc({ batch }, 0);
  for (const first of [...BATCH_KINDS, "standby"]) greetings.inc({ first }, 0);
  for (const reason of ["NoStream", "NoSuchBatch", "OtherVersion"]) ackRefusals.inc({ reason }, 0);

  return {
    reflector: (kind) => ({
      listed: () => lists.inc({ kind }),
      failed: (error) => errors.inc({ kind, error }),
    }),
    translated: (seconds) => translate.observe(seconds),
    publisher: {
      batch: (count) => {
        batches.inc();
        lines.inc(count);
      },
      sent: (batch, count) => bytes.inc({ batch }, count),
      greeted: (first, buckets) => {
        greetings.inc({ first });
        resynced.inc(buckets);
      },
      acked: (seconds) => acks.observe(seconds),
      ackRefused: (reason) => ackRefusals.inc({ reason }),
      cut: () => cuts.inc(),
    },
    status: { written: (kind, result) => writes.inc({ kind, result }) },
    event: (result) => events.inc({ result }),
    cardRead: (outcome) => cards.inc({ outcome }),
    refused: (reason) => refusals.inc({ reason }),
    leader: (holding) => leader.set(holding ? 1 : 0),
    renewalFailed: () => renewals.inc(),
    watch: (scraped) => watch(registry, kinds, scraped),
  };
}

function watch(registry: Registry, kinds: readonly Kind[], scraped: Scraped): void {
  const registers = [registry];
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: (gauge: Gauge<L>) => void,
  ): void => {
    const made: Gauge<L> = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect: () => {
        made.reset();
        read(made);
      },
    });
  };
  gauge("parley_operator_objects", "Objects read.", ["kind"], (of) => {
    for (const kind of kinds) of.set({ kind }, scraped.objects(kind));
  });
  gauge("parley_operator_held_objects", "Objects kept although a list lacked them.", ["kind"], (of) => {
    for (const kind of kinds) of.set({ kind }, scraped.held(kind));
  });
  gauge("parley_operator_synced", "1 once a kind was listed.", ["kind"], (of) => {
    for (const kind of kinds) of.set({ kind }, scraped.synced(kind) ? 1 : 0);
  });
  gauge("parley_operator_leader_claimed", "1 while this process names itself as holder of the Lease.", [], (of) =>
    of.set(scraped.claims() ? 1 : 0),
  );
  gauge("parley_operator_rows", "Rows of the published table.", [], (of) => of.set(scraped.rows()));
  gauge("parley_operator_table_info", "1, with the version of the published table.", ["version"], (of) =>
    of.set({ version: scraped.version() }, 1),
  );
  gauge("parley_operator_stream_subscribers", "Proxies with a stream.", ["stream"], (of) => {
    for (const stream of ["applied", "standby"] as const) of.set({ stream }, scraped.subscribers(stream));
  });
  gauge(
    "parley_operator_publish_lag",
    "Batches that a proxy that applies them has not acknowledged.",
    ["proxy"],
    (of) => {
      for (const { proxy, batches } of scraped.lag().slice(0, MOST_PROXIES)) of.set({ proxy }, batches);
    },
  );
  gauge("parley_operator_statuses_waiting", "Objects whose status is about to be written.", [], (of) =>
    of.set(scraped.statusesWaiting()),
  );
}
