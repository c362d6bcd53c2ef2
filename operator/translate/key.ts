// One VirtualKey. In: the object, its Secret, the agents that it names. Out: its row, what is true of it, the rows that its row needs.
import type { Grant } from "../../crds/types.ts";
import { keyRowId, namespaceRowId } from "../../proxy/table/contract.ts";
import type { KeyRow, RowId } from "../../proxy/table/contract.ts";
import { parseTime } from "../../proxy/table/parse-row.ts";
import { selects } from "../../proxy/table/selector.ts";
import type { KeyObject } from "../objects.ts";
import { keyFinding, listed, merged } from "./conditions.ts";
import type { Lookup } from "./lookup.ts";
import type { Finding, ObjectResult } from "./result.ts";
import type { TranslateSettings } from "./settings.ts";
import { readToken } from "./token.ts";

export interface TranslatedKey {
  /** Null: not published. */
  readonly row: KeyRow | null;
  readonly result: ObjectResult;
  /** Rows beside its own that are wanted while it is published. */
  readonly needs: readonly RowId[];
}

type KeyLookup = Pick<Lookup, "secret" | "namespace" | "admission" | "tokenHolder">;

/**
 * SHA-256 of the token that the key stands for; undefined when it will not be published. A disabled key keeps its token: else disabling
 * it would open the way for a younger one with the same token.
 */
export function tokenClaim(
  key: KeyObject,
  settings: TranslateSettings,
  lookup: Pick<KeyLookup, "secret">,
): string | undefined {
  const token = readToken(key, settings, lookup);
  return token.state === "usable" && hasValidExpiry(key) ? token.sha256 : undefined;
}

const hasValidExpiry = ({ spec }: KeyObject): boolean =>
  spec.expiresAt === undefined || !Number.isNaN(parseTime(spec.expiresAt));

/** An expired key is published with its time, as translation knows no clock: proxies refuse it, and its status is the clock owner's to tell. */
export function translateKey(key: KeyObject, settings: TranslateSettings, lookup: KeyLookup): TranslatedKey {
  const { namespace, name, uid, generation } = key.metadata;
  const { spec } = key;
  const token = readToken(key, settings, lookup);
  const faults: Finding[] = [];
  if (!hasValidExpiry(key)) faults.push(keyFinding("InvalidExpiry"));
  if (token.state === "refused") faults.push(token.fault);
  // Who holds the token is told to those who claim it, and only to them.
  if (token.state === "usable" && hasValidExpiry(key)) {
    const holder = lookup.tokenHolder(token.sha256);
    if (holder !== undefined && (holder.namespace !== namespace || holder.name !== name)) {
      // The holder may be in a namespace of other people: that it exists is theirs to tell.
      const visible =
        holder.namespace === namespace ? `VirtualKey ${holder.name}` : "A VirtualKey of another namespace";
      faults.push(keyFinding("DuplicateKey", visible));
    }
  }
  const published = token.state === "usable" && faults.length === 0;
  // It is published still, so that proxies know at once that it holds no longer.
  if (spec.disabled === true) faults.push(keyFinding("Disabled"));

  const [first, ...more] = faults;
  const conditions = [
    first === undefined ? keyFinding("Accepted") : merged(first, more),
    token.state === "missing" ? token.fault : keyFinding("SecretReady"),
    judgeGrants(namespace, spec.agents ?? [], settings, lookup),
  ];
  const fields = {
    ...(token.state === "missing" ? {} : { fingerprint: token.sha256.slice(0, 8) }),
    ...(spec.expiresAt === undefined ? {} : { expiresAt: spec.expiresAt }),
  };
  const result: ObjectResult = {
    kind: "VirtualKey",
    namespace,
    name,
    uid,
    generation,
    conditions,
    fields,
    rowId: published ? keyRowId(namespace, name) : null,
  };
  if (!published) return { row: null, result, needs: [] };
  return {
    row: rowOf(key, token.sha256, token.loopbackOnly),
    result,
    // Agents that admit by selector look at the labels of the key's Namespace.
    needs: settings.selectors ? [namespaceRowId(namespace)] : [],
  };
}

function rowOf({ spec, metadata }: KeyObject, sha256: string, loopbackOnly: boolean): KeyRow {
  const grants = (spec.agents ?? []).flatMap((grant) => translateGrant(metadata.namespace, grant));
  const requires = [
    ...(grants.some((grant) => "selector" in grant) ? ["agents.selector"] : []),
    ...(spec.expiresAt === undefined ? [] : ["expiresAt"]),
    ...(loopbackOnly ? ["loopbackOnly"] : []),
    ...(spec.operations === undefined ? [] : ["operations"]),
  ];
  return {
    uid: metadata.uid,
    generation: metadata.generation,
    ...(requires.length === 0 ? {} : { requires }),
    sha256,
    owner: {
      ...(spec.owner?.user === undefined ? {} : { user: spec.owner.user }),
      ...(spec.owner?.team === undefined ? {} : { team: spec.owner.team }),
    },
    agents: grants,
    ...(spec.operations === undefined ? {} : { operations: spec.operations }),
    ...(spec.expiresAt === undefined ? {} : { expiresAt: spec.expiresAt }),
    ...(spec.disabled === true ? { disabled: true } : {}),
    ...(loopbackOnly ? { loopbackOnly: true } : {}),
  };
}

/** A grant that says neither, which the schema forbids, grants nothing. */
function translateGrant(namespace: string, grant: Grant): KeyRow["agents"] {
  if (grant.name !== undefined) return [{ namespace: grant.namespace ?? namespace, name: grant.name }];
  return grant.selector === undefined ? [] : [{ selector: grant.selector }];
}

/** Looks at the agents that are named, and only at them: a selector refers to nothing in particular. */
function judgeGrants(
  namespace: string,
  grants: readonly Grant[],
  settings: TranslateSettings,
  lookup: KeyLookup,
): Finding {
  const missing: string[] = [];
  const closed: string[] = [];
  for (const { name, namespace: of = namespace } of grants) {
    if (name === undefined) continue;
    const shown = of === namespace ? name : `${of}/${name}`;
    const admission = lookup.admission(of, name);
    if (admission === undefined) missing.push(shown);
    else if (admission.from === "Same" && of !== namespace) closed.push(shown);
    else if (admission.from === "Selector" && settings.labelsUnknown !== true) {
      const labels = settings.selectors ? lookup.namespace(namespace)?.metadata.labels : undefined;
      if (labels === undefined || !selects(admission.selector, labels)) closed.push(shown);
    }
  }
  const faults = [
    ...(missing.length === 0 ? [] : [keyFinding("AgentNotFound", listed(missing))]),
    ...(closed.length === 0 ? [] : [keyFinding("NotAdmitted", listed(closed))]),
  ];
  const [first, ...more] = faults;
  return first === undefined ? keyFinding("ResolvedRefs") : merged(first, more);
}
