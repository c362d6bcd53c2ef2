// What translate gives for the objects that it looked at: rows for the proxies, findings for their status.
import type { ConditionType } from "../../crds/conditions.ts";
import type { A2AAgentStatus, VirtualKeyStatus } from "../../crds/types.ts";
import type { Ref } from "../objects.ts";
import type { RowChange, RowId } from "../../proxy/table/contract.ts";

export interface Finding {
  readonly type: ConditionType;
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase, of a fixed list. */
  readonly reason: string;
  /** A sentence that a person can act on. No secret, ever. */
  readonly message: string;
}

/** The state of one A2AAgent or VirtualKey. `Programmed` and the summary `Ready` are status's to add, since they need acks. */
export interface ObjectResult {
  readonly kind: "A2AAgent" | "VirtualKey";
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly conditions: readonly Finding[];
  /** Scalar status fields that translate knows: url, readyEndpoints, knownEndpoints; fingerprint, expiresAt. */
  readonly fields: Partial<A2AAgentStatus> & Partial<VirtualKeyStatus>;
  /** The object's own row; null: it is not published, and `Accepted` or a sibling says why. */
  readonly rowId: RowId | null;
}

/** `line`: the PUT line of the row, which is made but once. */
export type EncodedChange = RowChange & { readonly line?: string };

export interface TranslateOutput {
  /** What was done of that which was marked, and of what depends on it. */
  readonly refs: readonly Ref[];
  /** In an order in which a referred row comes before the row that refers to it. */
  readonly changes: readonly EncodedChange[];
  /** Objects whose result differs from the one given before. */
  readonly results: readonly ObjectResult[];
  /** Objects of ours that are gone. */
  readonly removed: readonly {
    readonly kind: "A2AAgent" | "VirtualKey";
    readonly namespace: string;
    readonly name: string;
  }[];
}
