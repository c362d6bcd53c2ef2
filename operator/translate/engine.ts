// Translation that redoes only what a change reaches. In: references of objects that changed. Out: rows and results that differ.
// What a result was made of is noted as facts; a fact is a Ref, `slices/{ns}/{service}`, or the id of something derived.
import { agentRowId, GATEWAY_ROW_ID, keyRowId } from "../../proxy/table/contract.ts";
import type { Row, RowId } from "../../proxy/table/contract.ts";
import { refOf } from "../objects.ts";
import type { AgentObject, KeyObject, Ref } from "../objects.ts";
import type { ReadableStore } from "../store.ts";
import { publicNameClaim, translateAgent } from "./agent.ts";
import { createClaims } from "./claims.ts";
import { agentFinding, heldFinding, keyFinding, listed } from "./conditions.ts";
import { createDerivations } from "./derivations.ts";
import { admissionOfAgent, credentialOf, endpointsOf, namespaceOf } from "./derived.ts";
import type { Derived, DerivedLookup } from "./derived.ts";
import { translateGateway } from "./gateway.ts";
import { tokenClaim, translateKey } from "./key.ts";
import type { Lookup } from "./lookup.ts";
import { createOutput } from "./output.ts";
import { createReads } from "./reads.ts";
import type { ObjectResult, TranslateOutput } from "./result.ts";
import type { TranslateSettings } from "./settings.ts";
import { createWorklist } from "./worklist.ts";

export interface Translation {
  /** Notes what changed in the store. */
  mark(refs: Iterable<Ref>): void;
  /** Notes objects of which only what `isHeld` says has changed. */
  reconsider(refs: Iterable<Ref>): void;
  /**
   * Brings rows and results up to the store, as far as it comes until `enough`, which is asked after each object. Costs what depends on
   * the refs that were marked, however many objects there are. What it gives is sound by itself at any time, and the same in the end
   * as if all had been done at once.
   */
  work(enough?: () => boolean): TranslateOutput;
  /** Everything that was marked is done. */
  readonly idle: boolean;
  /** Marks, and works to the end. */
  update(refs: Iterable<Ref>): TranslateOutput;
  /**
   * Makes everything anew from the store. Gives what differs from what was given before: all at first, nothing if updates were right.
   * `lost`: what was given last may not have arrived; then it gives everything.
   */
  rebuild(lost?: boolean): TranslateOutput;
}

export interface TranslationDeps {
  readonly store: ReadableStore;
  readonly settings: TranslateSettings;
  /** Whether an object is kept although a list lacks it; none by default. */
  readonly isHeld?: (ref: Ref) => boolean;
  /** Told of an error that is a bug; the object that it met is not published, the others go on. */
  readonly onError: (ref: Ref, error: unknown) => void;
}

interface Translated {
  readonly row: Row | null;
  readonly result: ObjectResult;
  readonly needs: readonly RowId[];
}

export function createTranslation(deps: TranslationDeps): Translation {
  const { store, settings, isHeld } = deps;
  const reads = createReads();
  const publicNames = createClaims();
  const tokens = createClaims();
  const output = createOutput();
  /** Objects and derivations to be made again. */
  const worklist = createWorklist();
  /** Those who have lost or won a claim: nothing is given before they are judged anew, or two would hold it. */
  const rivals = new Set<Ref>();
  const gateway = translateGateway(settings);
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
    const derive = <State>(derived: Derived<State>): State => {
      facts.add(derived.id);
      return derivations.state(derived);
    };
    return {
      ...objectLookup(facts),
      endpoints: (namespace, service, port) => derive(endpointsOf(namespace, service, port)),
      credential: (namespace, secret, key) => derive(credentialOf(namespace, secret, key)),
      admission: (namespace, name) => derive(admissionOfAgent(namespace, name)),
      // Those who claim it are those who ask: no fact need be noted.
      publicNameHolder: (publicName) => publicNames.holder(publicName),
      tokenHolder: (sha256) => tokens.holder(sha256),
    };
  };

  const touch = (fact: string): void => {
    for (const reader of reads.readersOf(fact)) worklist.add(reader);
  };

  /** Gives the facts that nobody reads any more. */
  const redo = (id: string): readonly string[] => {
    if (derivations.has(id)) {
      if (derivations.remake(id)) touch(id);
      return [];
    }
    touch(id);
    if (isPublishable(id)) {
      const object = published(id);
      for (const claimant of claim(id, object)) if (claimant !== id) rivals.add(claimant);
      return translate(id, object);
    }
    return [];
  };

  const work = (enough: () => boolean): TranslateOutput => {
    output.row(GATEWAY_ROW_ID, gateway);
    const abandoned = new Set<string>();
    const refs: Ref[] = [];
    worklist.turn();
    for (let id = worklist.take(); id !== undefined; id = worklist.take()) {
      for (const fact of redo(id)) abandoned.add(fact);
      refs.push(id);
      for (const rival of rivals) {
        rivals.delete(rival);
        for (const fact of redo(rival)) abandoned.add(fact);
      }
      if (enough()) break;
    }
    for (const id of abandoned) if (!reads.isRead(id)) derivations.drop(id);
    return { ...output.take(), refs };
  };

  /** The facts of a slice when it was last asked for, and now. */
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

  /** Enters what an object claims. Gives those for whom this changes something. */
  const claim = (ref: Ref, object: AgentObject | KeyObject | undefined): string[] => {
    if (ref.startsWith("A2AAgent/")) {
      const name = object?.kind === "A2AAgent" ? attempt(() => publicNameClaim(object, settings)) : undefined;
      return publicNames.set(ref, name, object?.metadata).flatMap((one) => publicNames.claimants(one));
    }
    const unnoted = objectLookup(new Set());
    const sha256 = object?.kind === "VirtualKey" ? attempt(() => tokenClaim(object, settings, unnoted)) : undefined;
    return tokens.set(ref, sha256, object?.metadata).flatMap((one) => tokens.claimants(one));
  };

  /** Says of an object which of what it depends on is kept although a list lacked it. */
  const withHeld = (result: ObjectResult, facts: ReadonlySet<string>): ObjectResult => {
    if (isHeld === undefined) return result;
    const held = new Set<string>();
    const look = (fact: string): void => {
      if (isHeld(fact)) held.add(fact.replace(/\/\/?/, " "));
      if (!fact.startsWith("slices/")) return;
      const [, namespace = "", service = ""] = fact.split("/");
      for (const slice of store.slicesOf(namespace, service))
        look(refOf("EndpointSlice", namespace, slice.metadata.name));
    };
    for (const fact of facts) {
      look(fact);
      if (derivations.has(fact)) for (const under of reads.factsOf(fact)) look(under);
    }
    if (held.size === 0) return result;
    return { ...result, conditions: [...result.conditions, heldFinding(listed([...held].sort()))] };
  };

  const make = (object: AgentObject | KeyObject, look: Lookup): Translated =>
    object.kind === "A2AAgent"
      ? { ...translateAgent(object, settings, look), needs: [] }
      : translateKey(object, settings, look);

  /** Makes row and result of an object. Gives the facts that nobody reads any more. */
  const translate = (ref: Ref, object: AgentObject | KeyObject | undefined): string[] => {
    if (object === undefined) {
      output.row(rowIdOf(ref), null);
      output.result(ref, null);
      return reads.set(ref, new Set());
    }
    const facts = new Set<string>();
    try {
      const { row, result, needs } = make(object, lookup(facts));
      for (const id of needs) facts.add(id);
      for (const name of needs) derivations.state(namespaceOf(name.slice("namespace/".length)));
      output.row(result.rowId ?? rowIdOf(ref), row);
      output.result(ref, withHeld(result, facts));
    } catch (error) {
      deps.onError(ref, error);
      output.row(rowIdOf(ref), null);
      output.result(ref, failed(object));
    }
    return reads.set(ref, facts);
  };

  const mark = (refs: Iterable<Ref>): void => {
    for (const ref of refs) {
      worklist.add(ref);
      // At once: before it is its turn, others may read it where it is now, and it may leave there.
      if (ref.startsWith("EndpointSlice/")) for (const fact of sliceFacts(ref)) touch(fact);
    }
  };

  /** What is derived is as it was: those who read it are looked at all the same. */
  const reconsider = (refs: Iterable<Ref>): void => {
    for (const ref of refs) {
      const facts = ref.startsWith("EndpointSlice/") ? sliceFacts(ref) : [ref];
      for (const fact of facts) {
        for (const reader of reads.readersOf(fact)) {
          if (!derivations.has(reader)) worklist.add(reader);
          else for (const dependant of reads.readersOf(reader)) worklist.add(dependant);
        }
      }
    }
  };

  return {
    mark,
    reconsider,
    work: (enough = never) => work(enough),
    get idle() {
      return worklist.size === 0;
    },
    update(refs) {
      mark(refs);
      return work(never);
    },
    rebuild(lost = false) {
      reads.clear();
      publicNames.clear();
      tokens.clear();
      derivations.clear();
      factBySlice.clear();
      worklist.clear();
      rivals.clear();
      output.forget(lost);
      for (const kind of ["EndpointSlice", "A2AAgent", "VirtualKey"] as const) mark(store.refs(kind));
      return work(never);
    },
  };
}

const slicesFact = (namespace: string, service: string): string => `slices/${namespace}/${service}`;
const never = (): boolean => false;

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
