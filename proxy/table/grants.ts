// Whether a key may reach an agent. In: a key, an agent, the labels of the key's namespace. Out: yes only if both sides admit.
import type { Agent, Key } from "./compiled.ts";
import type { NamespaceRow } from "./contract.ts";
import { selects } from "./selector.ts";

/**
 * Decides once per pair and remembers. Keys and agents never change, an edit replaces the object, so a decision is found again only
 * for the very objects that it was made for; and one that looked at a namespace, only while its row is the same.
 */
export function createGrants(
  namespaceRow: (namespace: string) => NamespaceRow | undefined,
): (key: Key, agent: Agent) => boolean {
  // By agent first: there are fewer of them, and so fewer weak maps.
  const decided = new WeakMap<
    Agent,
    WeakMap<Key, { readonly admits: boolean; readonly seen: NamespaceRow | undefined }>
  >();
  return (key, agent) => {
    const seen = agent.row.allowedKeys.from === "Selector" ? namespaceRow(key.namespace) : undefined;
    let ofAgent = decided.get(agent);
    const decision = ofAgent?.get(key);
    if (decision !== undefined && decision.seen === seen) return decision.admits;

    const admits = keyNames(key, agent) && agentAdmits(agent, key, seen);
    if (ofAgent === undefined) {
      ofAgent = new WeakMap();
      decided.set(agent, ofAgent);
    }
    ofAgent.set(key, { admits, seen });
    return admits;
  };
}

/** A name reaches that agent in any namespace, a selector the agents of the key's own. */
function keyNames(key: Key, agent: Agent): boolean {
  return key.row.agents.some((grant) =>
    "selector" in grant
      ? agent.namespace === key.namespace && selects(grant.selector, agent.row.labels)
      : agent.name === grant.name && agent.namespace === grant.namespace,
  );
}

/** A selector over a namespace whose labels are not known admits nothing, not even an empty one. */
function agentAdmits(agent: Agent, key: Key, namespace: NamespaceRow | undefined): boolean {
  const { allowedKeys } = agent.row;
  switch (allowedKeys.from) {
    case "Same":
      return key.namespace === agent.namespace;
    case "All":
      return true;
    case "Selector":
      return namespace !== undefined && selects(allowedKeys.selector, namespace.labels);
  }
}
