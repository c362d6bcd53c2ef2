// What a publisher needs and a test does not look at. In: nothing. Out: a log and metrics that keep nothing.
import type { PublisherDeps } from "./publisher.ts";

const nothing = (): void => undefined;

export const quietLog = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
export const quietMetrics: PublisherDeps["metrics"] = {
  batch: nothing,
  sent: nothing,
  greeted: nothing,
  acked: nothing,
  ackRefused: nothing,
  cut: nothing,
};
