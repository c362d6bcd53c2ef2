// The operator's side of the stream without the rest of it: a table that a test changes at will, served by the operator's own publisher.
// In: a replica's name and who holds the Lease. Out: the publisher and its URL.
import { createPublisher, type Publisher } from "../../operator/publish/publisher.ts";
import { quietLog, quietMetrics } from "../../operator/publish/quiet.test-support.ts";
import { authenticateAnyone, createStreamServer } from "../../operator/publish/stream-server.ts";
import { createClock } from "../../process/clock.ts";
import type { RowChange } from "../../proxy/table/contract.ts";

export interface TableOperator {
  readonly publisher: Publisher;
  readonly url: string;
  close(): Promise<void>;
}

/** Serves these rows, and what is applied to the publisher after. */
export async function startTableOperator(
  rows: readonly RowChange[],
  options: { readonly replica?: string; readonly holder?: () => string | undefined } = {},
): Promise<TableOperator> {
  const { replica = "operator", holder = () => replica } = options;
  const publisher = createPublisher({
    gateway: "default",
    replica,
    clock: createClock(),
    log: quietLog,
    holder,
    metrics: quietMetrics,
  });
  publisher.apply(rows);
  publisher.open();
  const server = createStreamServer({
    publisher,
    gateway: "default",
    listen: { host: "127.0.0.1", port: 0 },
    authenticate: authenticateAnyone,
    clock: createClock(),
    log: quietLog,
  });
  const { port } = await server.listen();
  return { publisher, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}
