// Figures out of an exposition of Prometheus. In: its text, the name of a metric. Out: the sum of its samples.

/**
 * `name` may name its labels, all of them: `parley_operator_held_objects{kind="Secret"}`; without them it stands for every series.
 * `labels`: text that a series' labels hold. Undefined: there is no such sample.
 */
export function sumOf(exposition: string, name: string, labels = ""): number | undefined {
  const samples = exposition
    .split("\n")
    .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(labels));
  if (samples.length === 0) return undefined;
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}
