// The spec of an A2AAgent on its own. In: spec and settings. Out: its values in the units of the table, or what is wrong with it.
import type { A2AAgentSpec } from "../../crds/types.ts";
import type { AgentRow } from "../../proxy/table/contract.ts";
import { parseBackendUrl } from "./backend-url.ts";
import { agentFinding } from "./conditions.ts";
import { parseDuration } from "./duration.ts";
import type { Admission } from "./lookup.ts";
import { parseQuantity } from "./quantity.ts";
import type { Finding } from "./result.ts";
import type { TranslateSettings } from "./settings.ts";

/** What holds where the spec is silent; the API's defaults inside lists and of whole objects are supplied here. */
const AGENT_DEFAULTS = {
  connect: "2s",
  firstByte: "600s",
  streamIdle: "0s",
  maxRequestBytes: "10Mi",
  logBytes: "16Ki",
} as const;

export interface AcceptedAgent {
  readonly admission: Admission;
  /** By name of the backend, of those that have a URL. */
  readonly urls: ReadonlyMap<string, string>;
  readonly timeouts: AgentRow["timeouts"];
  readonly maxRequestBytes: number;
  readonly logging: AgentRow["logging"];
}

export type AgentAcceptance =
  | { readonly ok: true; readonly accepted: AcceptedAgent }
  | { readonly ok: false; readonly first: Finding; readonly more: readonly Finding[] };

/** Whose keys the agent lets in; undefined when it says Selector and gives none, which lets nobody in. */
export function admissionOf(spec: A2AAgentSpec): Admission | undefined {
  const { from = "Same", selector } = spec.allowedKeys?.namespaces ?? {};
  if (from !== "Selector") return { from };
  return selector === undefined ? undefined : { from, selector };
}

/** Judges all of the spec, so that all faults are told at once. */
export function acceptAgent(
  spec: A2AAgentSpec,
  settings: Pick<TranslateSettings, "selectors" | "ceilings">,
): AgentAcceptance {
  const faults: Finding[] = [];
  const duration = (field: string, value: string): number => {
    const ms = parseDuration(value);
    if (ms === undefined) faults.push(agentFinding("InvalidValue", field, "500ms, 30s or 1h30m"));
    return ms ?? 0;
  };
  const quantity = (field: string, value: string | number): number => {
    const bytes = parseQuantity(value);
    if (bytes === undefined) faults.push(agentFinding("InvalidValue", field, "10Mi or a number of bytes"));
    return bytes ?? 0;
  };

  const urls = new Map<string, string>();
  for (const { name, url } of spec.backends) {
    if (url === undefined) continue;
    const parsed = parseBackendUrl(url);
    if (parsed.ok) urls.set(name, parsed.url);
    else faults.push(agentFinding("UnsupportedUrl", name, parsed.why));
  }
  const admission = admissionOf(spec);
  if (admission === undefined) faults.push(agentFinding("InvalidSelector"));
  else if (admission.from === "Selector" && !settings.selectors) faults.push(agentFinding("SelectorUnavailable"));
  const { ceilings = {} } = settings;
  /** What was asked for, if it is not above; where nothing was, the lower of default and ceiling. A time of zero is no limit, so above any. */
  const capped = (field: string, asked: boolean, value: number, ceiling: number | undefined, said: string): number => {
    const noLimit = value === 0 && field.startsWith("timeouts.");
    if (ceiling === undefined || (value <= ceiling && !noLimit)) return value;
    if (asked) faults.push(agentFinding("AboveCeiling", field, said));
    return ceiling;
  };
  const { connect, firstByte, streamIdle } = spec.timeouts ?? {};
  const cappedTime = (
    field: string,
    asked: string | undefined,
    byDefault: string,
    ceiling: number | undefined,
  ): number => {
    const ms = parseDuration(asked ?? byDefault);
    // Zero is no limit, but what cannot be read is not zero.
    if (ms === undefined) return duration(field, asked ?? byDefault);
    return capped(field, asked !== undefined, ms, ceiling, `${ceiling}ms`);
  };
  const timeouts = {
    connect: duration("timeouts.connect", connect ?? AGENT_DEFAULTS.connect),
    firstByte: cappedTime("timeouts.firstByte", firstByte, AGENT_DEFAULTS.firstByte, ceilings.firstByte),
    streamIdle: cappedTime("timeouts.streamIdle", streamIdle, AGENT_DEFAULTS.streamIdle, ceilings.streamIdle),
  };
  const bytes = spec.limits?.maxRequestBytes;
  const maxRequestBytes = capped(
    "limits.maxRequestBytes",
    bytes !== undefined,
    quantity("limits.maxRequestBytes", bytes ?? AGENT_DEFAULTS.maxRequestBytes),
    ceilings.maxRequestBytes,
    String(ceilings.maxRequestBytes),
  );
  const redact = spec.logging?.redact ?? [];
  const logging = {
    content: cappedContent(spec.logging?.content, ceilings.loggingContent, (most) =>
      faults.push(agentFinding("AboveCeiling", "logging.content", most)),
    ),
    maxBytes: quantity("logging.maxBytes", spec.logging?.maxBytes ?? AGENT_DEFAULTS.logBytes),
    ...(redact.length === 0 ? {} : { redact }),
  };
  const [first, ...more] = faults;
  if (first !== undefined || admission === undefined) {
    return { ok: false, first: first ?? agentFinding("InvalidSelector"), more };
  }
  return { ok: true, accepted: { admission, urls, timeouts, maxRequestBytes, logging } };
}

const CONTENTS = ["None", "Metadata", "Full"] as const;
type Content = (typeof CONTENTS)[number];

function cappedContent(
  asked: Content | undefined,
  ceiling: Content | undefined,
  above: (most: Content) => void,
): Content {
  const wanted = asked ?? "Metadata";
  if (ceiling === undefined || CONTENTS.indexOf(wanted) <= CONTENTS.indexOf(ceiling)) return wanted;
  if (asked !== undefined) above(ceiling);
  return ceiling;
}
