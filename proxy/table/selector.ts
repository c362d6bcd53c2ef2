// Kubernetes label selection. In: a metav1.LabelSelector and labels. Out: whether it selects them.
import type { LabelSelector } from "./contract.ts";

type Labels = Readonly<Record<string, string>>;
type Expression = NonNullable<LabelSelector["matchExpressions"]>[number];

/**
 * All of `matchLabels` and all of `matchExpressions` must hold; an empty selector selects everything. What Kubernetes would not
 * accept (an unknown operator, `In` without values, `Exists` with some) selects nothing.
 */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  const { matchLabels, matchExpressions } = selector;
  if (matchLabels !== undefined) {
    for (const name of Object.keys(matchLabels)) {
      if (labelOf(labels, name) !== matchLabels[name]) return false;
    }
  }
  return matchExpressions === undefined || matchExpressions.every((expression) => holds(expression, labels));
}

function holds({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = labelOf(labels, key);
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      // As in Kubernetes, a missing label is not in the list.
      return values.length > 0 && (value === undefined || !values.includes(value));
    case "Exists":
      return values.length === 0 && value !== undefined;
    case "DoesNotExist":
      return values.length === 0 && value === undefined;
    default:
      return unknownOperator(operator);
  }
}

/** A row of a newer release may hold an operator that the type does not name. */
const unknownOperator = (_operator: never): boolean => false;

const labelOf = (labels: Labels, name: string): string | undefined =>
  Object.hasOwn(labels, name) ? labels[name] : undefined;
