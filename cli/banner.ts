// What `parley serve` says once it serves. In: what was found of agents and keys. Out: text with URLs and a command to try.
import type { ObjectResult } from "../operator/translate/result.ts";
import { keyRowId } from "../proxy/table/contract.ts";
import type { FolderState } from "./last-good.ts";
import { refOf } from "../operator/objects.ts";
import { secretRefOf } from "../operator/secret-ref.ts";
import { visible } from "../process/visible.ts";
import type { Paint } from "./terminal.ts";
import { WELL_KNOWN_TOKEN } from "./well-known-token.ts";

export interface BannerFacts {
  readonly version: string;
  readonly folder: string;
  /** Base URL for clients. */
  readonly url: string;
  readonly adminUrl: string | undefined;
  readonly loopback: boolean;
  readonly results: readonly ObjectResult[];
  readonly state: FolderState;
}

/** Keys by name; of tokens only the one that everybody knows, and only where it is taken. */
export function banner(facts: BannerFacts, paint: Paint): string {
  const { version, folder, url, adminUrl, results } = facts;
  const named = (kind: ObjectResult["kind"]): ObjectResult[] =>
    results.filter((result) => result.kind === kind).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const agents = named("A2AAgent");
  const keys = named("VirtualKey");
  const width = Math.max(...[...agents, ...keys].map((each) => nameOf(each).length), 8) + 2;
  const line = (result: ObjectResult, text: string): string => `  ${visible(nameOf(result)).padEnd(width)}${text}\n`;

  let text = `${paint.bold(`Parley ${version}`)} serves ${visible(folder)} on ${paint.cyan(url)}\n\n`;
  text += `${paint.bold("Agents")}\n`;
  if (agents.length === 0) text += "  none yet: add an A2AAgent to the folder\n";
  for (const agent of agents) {
    const path = agent.fields.url;
    const served = agent.rowId !== null && path !== undefined;
    text += line(
      agent,
      served ? paint.cyan(path.startsWith("/") ? url + path : path) : paint.red("not served, see above"),
    );
  }
  text += `${paint.bold("Keys")}\n`;
  if (keys.length === 0) text += "  none yet: parley key NAME --agent AGENT makes one\n";
  for (const key of keys) text += line(key, keyText(key, facts, paint));
  if (adminUrl !== undefined) text += `${paint.bold("Admin")}\n  ${adminUrl}/metrics, /readyz, /table\n`;
  return text + tryText(facts, agents, keys, paint);
}

const nameOf = ({ namespace, name }: ObjectResult): string => (namespace === "default" ? name : `${namespace}/${name}`);

function keyText(key: ObjectResult, facts: BannerFacts, paint: Paint): string {
  if (key.rowId !== keyRowId(key.namespace, key.name)) return paint.red("not served, see above");
  if (isExpired(key)) return paint.red("expired, see above");
  if (isWellKnown(key, facts)) return WELL_KNOWN_TOKEN;
  return paint.dim(`fingerprint ${key.fields.fingerprint ?? "unknown"}`);
}

const isExpired = ({ conditions }: ObjectResult): boolean => conditions.some(({ reason }) => reason === "Expired");

function isWellKnown(key: ObjectResult, { state, loopback }: BannerFacts): boolean {
  const found = state.objects.get(refOf("VirtualKey", key.namespace, key.name))?.object;
  if (found?.kind !== "VirtualKey" || !loopback) return false;
  const { name, key: field } = secretRefOf(found);
  const secret = state.objects.get(refOf("Secret", key.namespace, name))?.object;
  return secret?.kind === "Secret" && secret.data[field] === WELL_KNOWN_TOKEN;
}

function tryText(
  facts: BannerFacts,
  agents: readonly ObjectResult[],
  keys: readonly ObjectResult[],
  paint: Paint,
): string {
  const agent = agents.find(({ rowId, fields }) => rowId !== null && fields.url !== undefined);
  const path = agent?.fields.url;
  if (path === undefined) return "";
  const known = keys.some((each) => each.rowId !== null && !isExpired(each) && isWellKnown(each, facts));
  const key = known ? WELL_KNOWN_TOKEN : "$PARLEY_KEY";
  return `
${paint.bold("Try")}${known ? "" : paint.dim(", with the token of a key in PARLEY_KEY: parley key showed it, and its Secret has it")}
  curl ${path.startsWith("/") ? facts.url + path : path}/message/send \\
    -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
    -d '{"jsonrpc":"2.0","id":"1","method":"message/send","params":{"message":{"role":"user","messageId":"1","parts":[{"kind":"text","text":"Hello"}]}}}'

`;
}
