// What an agent says that it used. In: the end of its answer, and where to look. Out: figures, as decimal strings.
import { eventData, isObject, objectAt, payloadOf } from "./fold.ts";
import { parsePath, type Step, valueAt } from "./json-path.ts";

/**
 * What units are called in the metadata of known frameworks. Agent Development Kit and what is made with it (kagent): `adk_usage_metadata`;
 * the others: `usage`, in the words of model APIs.
 */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  inputTokens: [
    "promptTokenCount",
    "prompt_token_count",
    "input_tokens",
    "prompt_tokens",
    "inputTokens",
    "promptTokens",
  ],
  outputTokens: [
    "candidatesTokenCount",
    "candidates_token_count",
    "output_tokens",
    "completion_tokens",
    "outputTokens",
    "completionTokens",
  ],
  totalTokens: ["totalTokenCount", "total_token_count", "total_tokens", "totalTokens"],
};
const HOLDERS = ["adk_usage_metadata", "kagent_usage_metadata", "usage_metadata", "usage"] as const;
const WRAPPERS = [
  "task",
  "message",
  "msg",
  "statusUpdate",
  "status_update",
  "artifactUpdate",
  "artifact_update",
] as const;

/** An amount: no sign, no exponent, and within what a price may be multiplied with. */
const amount = /^(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?$/;

export interface UsageRule {
  readonly unit: string;
  /** From the task, message or update of the answer; absent: the built-in ones. */
  readonly paths?: readonly string[];
}

/**
 * Figures by unit. In a stream the last event that tells a figure counts: agents tell what they used so far, or all of it at the end.
 *
 * @param streaming whether the text is server-sent events; `whole`: whether it is all of the answer
 */
export function readUsage(
  answer: { readonly text: string; readonly whole: boolean },
  streaming: boolean,
  rules: readonly UsageRule[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const texts = streaming ? eventData(wholeEvents(answer)).toReversed() : answer.whole ? [answer.text] : [];
  for (const text of texts) {
    const missing = rules.filter(({ unit }) => !found.has(unit));
    if (missing.length === 0) break;
    const payload = payloadIn(text);
    if (payload === undefined) continue;
    for (const rule of missing) {
      const figure = figureOf(payload, rule);
      if (figure !== undefined) found.set(rule.unit, figure);
    }
  }
  return found;
}

/** Of an event that was cut off at its start nothing is known. */
function wholeEvents({ text, whole }: { readonly text: string; readonly whole: boolean }): string {
  if (whole) return text;
  const cut = /\n\n|\r\n\r\n|\r\r/.exec(text);
  return cut === null ? "" : text.slice(cut.index + cut[0].length);
}

function payloadIn(text: string): Readonly<Record<string, unknown>> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const payload = payloadOf(parsed);
  for (const name of WRAPPERS) {
    const wrapped = objectAt(payload, name);
    if (wrapped !== undefined) return wrapped;
  }
  return payload;
}

function figureOf(payload: Readonly<Record<string, unknown>>, { unit, paths }: UsageRule): string | undefined {
  if (paths !== undefined) return first(paths.map((path) => valueAt(payload, parsePath(path) ?? NOWHERE)));
  const metadata = [
    objectAt(payload, "metadata"),
    objectAt(objectAt(objectAt(payload, "status"), "message"), "metadata"),
  ];
  const holders = metadata.flatMap((one) => HOLDERS.map((name) => objectAt(one, name)));
  return first(
    holders.flatMap((holder) => (NAMES[unit] ?? []).map((name) => (isObject(holder) ? holder[name] : undefined))),
  );
}

const NOWHERE: readonly Step[] = [{ descends: false, key: null }];

function first(values: readonly unknown[]): string | undefined {
  for (const value of values) {
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text === "string" && amount.test(text)) return text;
  }
  return undefined;
}
