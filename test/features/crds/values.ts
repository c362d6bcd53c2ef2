// Values at the edges of rules that several fields share.

export interface Values {
  /** Steps from the object to the field. */
  readonly place: readonly (string | number)[];
  readonly good: readonly unknown[];
  readonly bad: readonly unknown[];
}

export const NAMES = {
  good: ["a", "0", "a-b", "a--b", "a".repeat(63)],
  bad: ["", "-", "A", "a.b", "-a", "a-", "a_b", "a/b", "a%2fb", "..", "ä", "a\n", "a".repeat(64)],
};
export const LABEL_KEYS = {
  good: ["team", "Team_1.x", "a".repeat(63), "example.com/team", "a/b", `${"a.".repeat(126)}a/${"b".repeat(63)}`],
  bad: [
    "",
    "-team",
    "team-",
    "a b",
    "Example.com/team",
    "/team",
    "example.com/",
    "a/b/c",
    "a".repeat(64),
    "ä",
    "team\n",
  ],
};
export const LABEL_VALUES = {
  good: ["", "a", "A_b.c-d", "a".repeat(63)],
  bad: ["-a", "a-", "a b", "a/b", "ä", " ", "a\n", "a".repeat(64)],
};
export const SECRET_REF = (place: readonly (string | number)[]): Values[] => [
  {
    place: [...place, "name"],
    good: ["a", "a.b-c", "0", "a".repeat(253)],
    bad: ["", "A", "a/b", "a..b", ".a", "a_b", "../a", "a".repeat(254)],
  },
  {
    place: [...place, "key"],
    good: ["token", "Token_1.txt", ".a", "a".repeat(253)],
    bad: ["", "a/b", "a b", "ä", "a\n", "a".repeat(254)],
  },
];
export const SELECTOR = (place: readonly (string | number)[]): Values[] => [
  {
    place: [...place, "matchLabels"],
    good: LABEL_KEYS.good.map((key) => ({ [key]: "a" })),
    bad: LABEL_KEYS.bad.map((key) => ({ [key]: "a" })),
  },
  { place: [...place, "matchLabels", "a"], good: LABEL_VALUES.good, bad: LABEL_VALUES.bad },
  { place: [...place, "matchExpressions", 0, "key"], good: LABEL_KEYS.good, bad: LABEL_KEYS.bad },
  { place: [...place, "matchExpressions", 0, "values", 0], good: LABEL_VALUES.good, bad: LABEL_VALUES.bad },
  {
    place: [...place, "matchExpressions"],
    good: [[], [{ key: "a", operator: "Exists" }], [{ key: "a", operator: "NotIn", values: [""] }]],
    bad: [
      [{ key: "a", operator: "In" }],
      [{ key: "a", operator: "NotIn" }],
      [{ key: "a", operator: "In", values: [] }],
      [{ key: "a", operator: "Exists", values: ["b"] }],
      [{ key: "a", operator: "DoesNotExist", values: ["b"] }],
      [{ key: "a", operator: "Gt", values: ["1"] }],
    ],
  },
];
