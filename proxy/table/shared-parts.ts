// Equal parts of many rows, held once. In: typed rows. Out: the same rows with parts that others have already.
// A hundred thousand keys name a few thousand agents, and ten thousand agents have a handful of settings between them.
import type { AgentRow, KeyRow } from "./contract.ts";

/** Parts that are remembered; then it begins anew, for parts of rows that are gone are not worth finding. */
const REMEMBERED = 20_000;

export interface SharedParts {
  text(value: string): string;
  agent(row: AgentRow): AgentRow;
  key(row: KeyRow): KeyRow;
}

export function createSharedParts(): SharedParts {
  let texts = new Map<string, string>();
  let parts = new Map<string, unknown>();

  const text = (value: string): string => {
    const known = texts.get(value);
    if (known !== undefined) return known;
    if (texts.size >= REMEMBERED) texts = new Map();
    texts.set(value, value);
    return value;
  };

  /** `name`: equal for equal parts only. */
  const share = <T>(name: string, part: T): T => {
    const known = parts.get(name);
    if (known !== undefined) return known as T;
    if (parts.size >= REMEMBERED) parts = new Map();
    parts.set(name, part);
    return part;
  };
  const byContent = <T>(part: T): T => share(JSON.stringify(part), part);

  return {
    text,
    agent: (row) => ({
      ...row,
      labels: byContent(row.labels),
      allowedKeys: byContent(row.allowedKeys),
      card: byContent(row.card),
      timeouts: byContent(row.timeouts),
      credentials: byContent(row.credentials),
      logging: byContent(row.logging),
    }),
    key: (row) => ({ ...row, agents: byContent(row.agents) }),
  };
}
