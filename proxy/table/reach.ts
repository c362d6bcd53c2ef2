// Which of two operators has seen more. In: how far each has read. Out: whether one knows all that the other does. Pure.
import type { Reach } from "./contract.ts";

/** Whether whoever has come to `reach` has seen everything up to `until`. Not when one of them does not say. */
export function covers(reach: Reach | undefined, until: Reach | undefined): boolean {
  if (reach === undefined || until === undefined) return false;
  return Object.entries(until).every(([watch, version]) => (reach[watch] ?? -1) >= version);
}
