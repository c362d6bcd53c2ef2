// Values at the edges of the rules of VirtualKey.
import { NAMES, SECRET_REF, SELECTOR, type Values } from "./values.ts";

export const KEY_VALUES: readonly Values[] = [
  { place: ["metadata", "name"], good: ["a", "alice.smith", "a".repeat(63)], bad: ["a".repeat(64), "A", "a_b", ""] },
  { place: ["spec", "gatewayName"], ...NAMES },
  ...SECRET_REF(["spec", "secretRef"]),
  ...["user", "team"].map((name) => ({
    place: ["spec", "owner", name],
    good: ["a", "alice@example.com", "A & B", "ä", "日本", "a".repeat(256)],
    bad: ["", " ", " a", "a ", "a\n", "a\tb", "\u0000", "\u007f", "a".repeat(257)],
  })),
  { place: ["spec", "agents", 0, "name"], ...NAMES },
  { place: ["spec", "agents", 1, "namespace"], ...NAMES },
  {
    place: ["spec", "agents", 0],
    good: [{ selector: {} }, { name: "a", namespace: "b" }],
    bad: [
      {},
      { namespace: "a" },
      { name: "a", selector: {} },
      { namespace: "a", selector: {} },
      { name: "a", namespace: "b", selector: {} },
    ],
  },
  ...SELECTOR(["spec", "agents", 2, "selector"]),
  {
    place: ["spec", "operations"],
    good: [
      "SendMessage GetTask ListTasks CancelTask SubscribeToTask CreateTaskPushNotificationConfig GetTaskPushNotificationConfig ListTaskPushNotificationConfigs DeleteTaskPushNotificationConfig GetExtendedAgentCard Extension".split(
        " ",
      ),
    ],
    bad: [
      [],
      ["SendStreamingMessage"],
      ["message/send"],
      ["tasks/get"],
      ["sendMessage"],
      ["*"],
      [""],
      ["GetTask", "GetTask"],
    ],
  },
  { place: ["spec"], good: [{}], bad: [null, []] },
];
