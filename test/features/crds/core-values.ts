// Values at the edges of what Kubernetes itself says of metadata and of Secrets.
import { LABEL_KEYS, LABEL_VALUES, type Values } from "./values.ts";

const LONG = "a".repeat(254);
/** Places in `metadata`, which both kinds and Secrets share. */
export const METADATA_VALUES: readonly Values[] = [
  { place: ["metadata"], good: [], bad: [undefined, null, [], "a", {}, { name: null }, { name: "" }, { labels: {} }] },
  { place: ["metadata", "name"], good: [], bad: [LONG, "a..b", ".a", "a/b", "ä", 1, true, ["a"], {}] },
  {
    place: ["metadata", "labels"],
    good: [
      null,
      {},
      ...LABEL_KEYS.good.map((key) => ({ [key]: "a" })),
      ...LABEL_VALUES.good.map((value) => ({ a: value })),
      { a: null },
    ],
    bad: [
      [],
      "a",
      { a: 1 },
      { a: true },
      ...LABEL_KEYS.bad.map((key) => ({ [key]: "a" })),
      { [`${LONG}/a`]: "a" },
      ...LABEL_VALUES.bad.map((value) => ({ a: value })),
    ],
  },
  {
    place: ["metadata", "annotations"],
    good: [
      null,
      {},
      { a: "any\ntext ä" },
      { "A.b/C": "" },
      { "Example.com/a": "b" },
      { a: "x".repeat(256 * 1024 - 1) },
    ],
    bad: [{ a: 1 }, { "a b": "c" }, { "": "a" }, { a: "x".repeat(256 * 1024) }],
  },
  { place: ["metadata", "creationTimestamp"], good: [null], bad: [5] },
  { place: ["metadata", "generation"], good: [null, 1], bad: ["1"] },
  { place: ["metadata", "finalizers"], good: [[], null], bad: ["a"] },
  { place: ["metadata", "lables"], good: [], bad: [{ a: "b" }] },
  { place: ["apiVersion"], good: [], bad: [undefined, null, "", "v1beta7", "parley.dev/v1", "Parley.dev/v1alpha1", 1] },
  { place: ["kind"], good: [], bad: [undefined, null, "", "A2AAgents", "a2aagent", "Nobody", 1] },
];

export const SECRET_VALUES: readonly Values[] = [
  { place: ["type"], good: [null, "", "example.com/any"], bad: [1, true, []] },
  { place: ["immutable"], good: [null, true], bad: ["true", 1] },
  {
    place: ["data"],
    good: [
      null,
      {},
      { a: "" },
      { a: null },
      { a: "YQ==" },
      { a: "YW\nI=" },
      { a: "YW\r\nI=" },
      { "..a": "YQ==" },
      { ".a": "" },
    ],
    bad: [
      [],
      "a",
      { a: 1 },
      { a: "a" },
      { a: "YQ=" },
      { a: "YQ" },
      { a: "Y-_=" },
      { a: "YQ== " },
      { a: "YQ==YQ==" },
      { "": "" },
      { "a b": "" },
      { "a/b": "" },
      { ".": "" },
      { "..": "" },
      { ä: "" },
      { [LONG]: "" },
      { a: "QUFB".repeat(349_526) },
    ],
  },
  {
    place: ["stringData"],
    good: [null, {}, { a: "any ä\n" }, { a: null }, { token: "over data" }, { a: "x".repeat(1024 * 1024 - 6) }],
    bad: [[], { a: 1 }, { a: true }, { "a b": "" }, { "": "" }, { a: "x".repeat(1024 * 1024) }],
  },
  { place: ["strngData"], good: [], bad: [{ a: "b" }] },
];
