// Kubernetes quantities of bytes. In: "10Mi", "512k" or a number. Out: bytes.
import { parseQuantity as parseText } from "../../crds/quantity.ts";

/** Whole bytes; undefined if it is none of the forms that the schema takes, or too large to count exactly. */
export function parseQuantity(quantity: string | number): number | undefined {
  const bytes = Number(parseText(String(quantity)));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
