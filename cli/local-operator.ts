// The operator's work for a folder, in this process. In: the objects that the folder holds now. Out: the table, brought up to date, and
// what was found of each object.
import type { BackendStatus } from "../crds/types.ts";
import { refOf } from "../operator/objects.ts";
import type { Ref } from "../operator/objects.ts";
import { createStore } from "../operator/store.ts";
import type { Store } from "../operator/store.ts";
import { createTranslation } from "../operator/translate/engine.ts";
import type { DiscoveredAgent } from "../operator/discover/discovery.ts";
import type { Finding, ObjectResult, TranslateOutput } from "../operator/translate/result.ts";
import type { TranslateSettings } from "../operator/translate/settings.ts";
import type { TableWriter } from "../proxy/table/table.ts";
import type { Log } from "../process/log.ts";
import type { ManifestObject } from "./manifest.ts";

export interface LocalOperator {
  readonly store: Store;
  /** Makes these all that there is. Gives the references of what changed. */
  apply(objects: Iterable<ManifestObject>): readonly Ref[];
  /** Takes what an agent's cards said, and how reading them went; an agent that was replaced meanwhile is passed over. */
  learn(agent: DiscoveredAgent, found: readonly BackendStatus[], finding: Finding): void;
  /** Of every agent and key. */
  results(): readonly ObjectResult[];
}

const KINDS = ["A2AAgent", "VirtualKey", "Secret"] as const;

/** `table` absent: nothing is served, only judged. */
export function createLocalOperator(deps: {
  readonly settings: TranslateSettings;
  readonly table?: Pick<TableWriter, "applyLocal">;
  readonly log: Pick<Log, "error">;
}): LocalOperator {
  const { settings, table, log } = deps;
  const store = createStore({ gatewayName: settings.gatewayName });
  const translation = createTranslation({
    store,
    settings,
    onError: (ref, error) => log.error({ object: ref, err: error }, "translation failed"),
  });
  /** How the last reading of an agent's cards went, by its uid. */
  const findings = new Map<string, Finding>();
  /** As translation gave them last. */
  const results = new Map<Ref, ObjectResult>();
  let whole = false;

  function publish({ changes, results: given, removed }: TranslateOutput): void {
    for (const result of given) results.set(refOf(result.kind, result.namespace, result.name), result);
    for (const { kind, namespace, name } of removed) results.delete(refOf(kind, namespace, name));
    if (!whole || changes.length > 0) table?.applyLocal(changes, !whole);
    whole = true;
  }

  return {
    store,
    apply(objects) {
      const all = [...objects].map((object) => withStatus(object, store));
      const changed = KINDS.flatMap((kind) =>
        store.replace(
          kind,
          all.filter((object) => object.kind === kind),
        ),
      );
      for (const uid of findings.keys()) if (!all.some(({ metadata }) => metadata.uid === uid)) findings.delete(uid);
      publish(whole ? translation.update(changed) : translation.rebuild());
      return changed;
    },
    learn({ namespace, name, uid }, found, finding) {
      const agent = store.find("A2AAgent", namespace, name);
      if (agent === undefined || agent.metadata.uid !== uid) return;
      findings.set(uid, finding);
      if (!store.set({ ...agent, status: { ...agent.status, backends: found } })) return;
      publish(translation.update([refOf("A2AAgent", namespace, name)]));
    },
    results: () => Array.from(results.values(), (result) => withFinding(result, findings.get(result.uid))),
  };
}

/** What was learnt of an agent outlives an edit of its file. */
function withStatus(object: ManifestObject, store: Store): ManifestObject {
  if (object.kind !== "A2AAgent") return object;
  const status = store.find("A2AAgent", object.metadata.namespace, object.metadata.name)?.status;
  return status === undefined ? object : { ...object, status };
}

/** Translation knows only what was read; why a reading failed is the reader's to say. */
function withFinding(result: ObjectResult, finding: Finding | undefined): ObjectResult {
  if (finding === undefined) return result;
  const conditions = result.conditions.map((each) => (each.type === finding.type ? finding : each));
  return { ...result, conditions };
}
