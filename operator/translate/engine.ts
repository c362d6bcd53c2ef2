// Translation that redoes only what a change reaches. In: references of objects that changed. Out: rows and results that differ.
// What a result was made of is noted as facts; a fact is a Ref, `slices/{ns}/{service}`, the id of something derived, or a claim.
import { agentRowId, GATEWAY_ROW_ID, keyRowId } from "../../proxy/table/contract.ts";
import type { Row, RowChange, RowId } from "../../proxy/table/contract.ts";
import { refOf } from "../objects.ts";
import type { AgentObject, KeyObject, Ref } from "../objects.ts";
import type { ReadableStore } from "../store.ts";
import { publicNameClaim, translateAgent } from "./agent.ts";
import { createClaims } from "./claims.ts";
import { agentFinding, keyFinding } from "./conditions.ts";
import { createDerivations } from "./derivations.ts";
import { admissionOfAgent, credentialOf, endpointsOf, namespaceOf } from "./derived.ts";
import type { DerivedLookup } from "./derived.ts";
import { translateGateway } from "./gateway.ts";
import { tokenClaim, translateKey } from "./key.ts";
import type { Lookup } from "./lookup.ts";
import { createOutput } from "./output.ts";
import { createReads } from "./reads.ts";
import type { ObjectResult, TranslateOutput } from "./result.ts";
import type { TranslateSettings } from "./settings.ts";

export interface Translation {
  /**
   * Brings rows and results up to the store, given all refs that changed in it since the last call. Costs what depends on those refs,
   * however many objects there are.
   */
  update(refs: Iterable<Ref>): TranslateOutput;
  /**
   * Makes everything anew from the store. Gives what differs from what was given before: all at first, nothing if updates were right.
   * `lost`: what was given last may not have arrived; then it gives everything.
   */
  rebuild(lost?: boolean): TranslateOutput;
  /** All rows as they stand. */
  rows(): Iterable<RowChange & { readonly row: Row }>;
  /** All results as they stand: what a new writer of statuses begins with. */
  results(): Iterable<ObjectResult>;
}

export interface TranslationDeps {
  readonly store: ReadableStore;
  readonly settings: TranslateSettings;
  /** Told of an error that is a bug; the object that it met is not published, the others go on. */
  readonly onError: (ref: Ref, error: unknown) => void;
}

export function createTranslation(deps: TranslationDeps): Translation {
  const { store, settings } = deps;
  const reads = createReads();
  const publicNames = createClaims();
  const tokens = createClaims();
  const output = createOutput();
  /** Of every slice, the fact that it belongs to: a slice that is gone says no more which Service lost it. */
  const factBySlice = new Map<Ref, string>();

  const objectLookup = (facts: Set<string>): DerivedLookup => ({
    agent: (namespace, name) => {
      facts.add(refOf("A2AAgent", namespace, name));
      return store.find("A2AAgent", namespace, name);
    },
    secret: (namespace, name) => {
      facts.add(refOf("Secret", namespace, name));
      return store.find("Secret", namespace, name);
    },
    service: (namespace, name) => {
      facts.add(refOf("Service", namespace, name));
      return store.find("Service", namespace, name);
    },
    namespace: (name) => {
      facts.add(refOf("Namespace", "", name));
      return store.find("Namespace", "", name);
    },
    slices: (namespace, service) => {
      facts.add(slicesFact(namespace, service));
      return store.slicesOf(namespace, service);
    },
  });
  const derivations = createDerivations({ reads, lookup: objectLookup, onRow: (id, row) => output.row(id, row) });

  const lookup = (facts: Set<string>): Lookup => {
    const derive = <State>(derived: Parameters<typeof derivations.state<State>>[0]): State => {
      facts.add(derived.id);
      return derivations.state(derived);
    };
    return {
      ...objectLookup(facts),
      endpoints: (namespace, service, port) => derive(endpointsOf(namespace, service, port)),
      credential: (namespace, secret, key) => derive(credentialOf(namespace, secret, key)),
      admission: (namespace, name) => derive(admissionOfAgent(namespace, name)),
      publicNameHolder: (publicName) => {
        facts.add(publicNameFact(publicName));
        return publicNames.holder(publicName);
      },
      tokenHolder: (sha256) => {
        facts.add(tokenFact(sha256));
        return tokens.holder(sha256);
      },
    };
  };

  const run = (refs: Iterable<Ref>): TranslateOutput => {
    const objects = new Set<Ref>();
    const derived = new Set<string>();
    const touch = (fact: string): void => {
      for (const reader of reads.readersOf(fact)) (derivations.has(reader) ? derived : objects).add(reader);
    };
    for (const ref of refs) {
      touch(ref);
      if (isPublishable(ref)) objects.add(ref);
      else if (ref.startsWith("EndpointSlice/")) for (const fact of sliceFacts(ref)) touch(fact);
    }
    // A Set goes on over what is added while it is walked: those who lose or win a claim are judged in the same turn.
    for (const ref of objects) for (const fact of claim(ref)) touch(fact);
    for (const id of derived) if (derivations.remake(id)) touch(id);
    const abandoned = new Set<string>();
    for (const ref of objects) for (const fact of translate(ref)) abandoned.add(fact);
    for (const id of abandoned) if (!reads.isRead(id)) derivations.drop(id);
    return output.take();
  };

  /** The facts of a slice before and after the change. */
  const sliceFacts = (ref: Ref): Set<string> => {
    const facts = new Set<string>();
    const before = factBySlice.get(ref);
    if (before !== undefined) facts.add(before);
    const slice = store.get(ref);
    if (slice?.kind === "EndpointSlice") {
      const after = slicesFact(slice.metadata.namespace, slice.service);
      factBySlice.set(ref, after);
      facts.add(after);
    } else factBySlice.delete(ref);
    return facts;
  };

  /** The agent or key behind a reference, unless it is gone or going. */
  const published = (ref: Ref): AgentObject | KeyObject | undefined => {
    const object = store.get(ref);
    if (object?.kind !== "A2AAgent" && object?.kind !== "VirtualKey") return undefined;
    return object.metadata.deletionTimestamp === undefined ? object : undefined;
  };

  /** Enters what an object claims. Gives the facts that this changes for others. */
  const claim = (ref: Ref): string[] => {
    const object = published(ref);
    if (ref.startsWith("A2AAgent/")) {
      const name = object?.kind === "A2AAgent" ? attempt(() => publicNameClaim(object, settings)) : undefined;
      return publicNames.set(ref, name, object?.metadata).map(publicNameFact);
    }
    const unnoted = objectLookup(new Set());
    const sha256 = object?.kind === "VirtualKey" ? attempt(() => tokenClaim(object, settings, unnoted)) : undefined;
    return tokens.set(ref, sha256, object?.metadata).map(tokenFact);
  };

  /** Makes row and result of an object. Gives the facts that nobody reads any more. */
  const translate = (ref: Ref): string[] => {
    const object = published(ref);
    if (object === undefined) {
      output.row(rowIdOf(ref), null);
      output.result(ref, null);
      return reads.set(ref, new Set());
    }
    const facts = new Set<string>();
    try {
      if (object.kind === "A2AAgent") {
        const { row, result } = translateAgent(object, settings, lookup(facts));
        output.row(rowIdOf(ref), row);
        output.result(ref, result);
      } else {
        const { row, result, needs } = translateKey(object, settings, lookup(facts));
        for (const id of needs) facts.add(id);
        for (const name of needs) derivations.state(namespaceOf(name.slice("namespace/".length)));
        output.row(rowIdOf(ref), row);
        output.result(ref, result);
      }
    } catch (error) {
      deps.onError(ref, error);
      output.row(rowIdOf(ref), null);
      output.result(ref, failed(object));
    }
    return reads.set(ref, facts);
  };

  return {
    update(refs) {
      output.row(GATEWAY_ROW_ID, translateGateway(settings));
      return run(refs);
    },
    rebuild(lost = false) {
      reads.clear();
      publicNames.clear();
      tokens.clear();
      derivations.clear();
      factBySlice.clear();
      output.forget(lost);
      output.row(GATEWAY_ROW_ID, translateGateway(settings));
      const refs: Ref[] = [];
      for (const kind of ["EndpointSlice", "A2AAgent", "VirtualKey"] as const) {
        for (const { metadata } of store.list(kind)) refs.push(refOf(kind, metadata.namespace, metadata.name));
      }
      return run(refs);
    },
    rows: () => output.rows(),
    results: () => output.results(),
  };
}

const slicesFact = (namespace: string, service: string): string => `slices/${namespace}/${service}`;
const publicNameFact = (publicName: string): string => `publicName/${publicName}`;
const tokenFact = (sha256: string): string => `token/${sha256}`;

const isPublishable = (ref: Ref): boolean => ref.startsWith("A2AAgent/") || ref.startsWith("VirtualKey/");

function rowIdOf(ref: Ref): RowId {
  const [kind, namespace = "", name = ""] = ref.split("/");
  return kind === "A2AAgent" ? agentRowId(namespace, name) : keyRowId(namespace, name);
}

/** An object that cannot even be asked claims nothing; translating it will say why. */
function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

function failed(object: AgentObject | KeyObject): ObjectResult {
  const { namespace, name, uid, generation } = object.metadata;
  const finding = object.kind === "A2AAgent" ? agentFinding("TranslationFailed") : keyFinding("TranslationFailed");
  return { kind: object.kind, namespace, name, uid, generation, conditions: [finding], fields: {}, rowId: null };
}
