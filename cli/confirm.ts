// `parley confirm`: lets operators drop what they hold. In: the Lease of a gateway's operators. Out: what is held, and, with --yes, the word
// of an administrator on the Lease, which every operator reads.
import { CONFIRMED_ANNOTATION, HELD_ANNOTATION, parseHeld } from "../operator/held.ts";
import type { KubeClient } from "../operator/kube/client.ts";
import { leasePath } from "../operator/kube/lease.ts";
import type { Annotations } from "../operator/kube/lease.ts";
import { refusalOf } from "../operator/kube/refusal.ts";
import type { HeldKind } from "../operator/relists.ts";
import { option } from "../process/option-table.ts";
import type { Command as OptionCommand } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";
import { parseOptions } from "../process/options.ts";
import { visible } from "../process/visible.ts";
import { apiServer, CLUSTER_GROUP, kubeconfigOption } from "./api-server.ts";
import type { Command, Io } from "./io.ts";
import { leaseNamespaceOption, noOperatorIn, readOperatorLeases } from "./operator-leases.ts";
import { answerUsage } from "./usage.ts";

const table = {
  kubeconfig: kubeconfigOption,
  namespace: leaseNamespaceOption,
  lease: option(value.objectName, {
    group: CLUSTER_GROUP,
    defaultText: "the one that is there",
    help: "The operators' Lease, where the namespace has those of several gateways; parley status shows their names.",
  }),
  yes: option(value.boolean, {
    group: CLUSTER_GROUP,
    default: "false",
    help: "Drop what is shown; without it, it is only shown.",
  }),
};

const command: OptionCommand = {
  command: "parley confirm",
  flagsOnly: true,
  summary:
    "A list of the API server that lacks over half of what was there, and over 20 objects, is held: proxies go on serving what it lacks. " +
    "This shows what is held; with --yes it is dropped.",
};

export const confirm: Command = async (argv, io) => {
  const parsed = parseOptions(table, command, { argv, env: io.env });
  if (parsed.kind !== "run") return answerUsage(parsed, command.command, io);
  const { kubeconfig, namespace, lease, yes } = parsed.options;
  const reached = apiServer(kubeconfig, io);
  if (!reached.ok) return fail(io, reached.fault, 2);
  const { client } = reached;
  try {
    const found = await findLease(client, namespace, lease);
    if (!found.ok) return fail(io, found.fault);
    const { name } = found;
    const text = found.annotations[HELD_ANNOTATION];
    if (text === undefined) {
      io.out("nothing is held\n");
      return 0;
    }
    const held = parseHeld(text);
    if (held === undefined)
      return fail(io, `what is held cannot be read: is the operator newer than this parley ${io.version}?`);
    io.out(held.map(show).join(""));
    if (!yes) {
      io.out(
        `Proxies go on serving all of this. If it was meant to go: parley confirm --namespace=${namespace} --lease=${name} --yes\n`,
      );
      return 0;
    }
    const confirmed = await client.request({
      method: "PATCH",
      path: leasePath(namespace, name),
      contentType: "application/merge-patch+json",
      body: { metadata: { annotations: { [CONFIRMED_ANNOTATION]: held.map(({ id }) => id).join(",") } } },
    });
    if (confirmed.status !== 200) return fail(io, refused(`Lease ${namespace}/${name}`, confirmed));
    io.out("confirmed: every operator drops it when it next reads the Lease, within seconds\n");
    return 0;
  } catch (error) {
    return fail(io, `${client.server} cannot be reached: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await client.close();
  }
};

function show({ kind, count, names, id }: HeldKind): string {
  const more = count > names.length ? `, and ${count - names.length} more` : "";
  // Whoever may write the Lease has written this.
  return `${visible(kind)}: ${count} held (${id})\n  ${names.map(visible).join(", ")}${more}\n`;
}

/** Found as parley status does, unless it is named: then its name is enough for those who may not list Leases. */
async function findLease(
  client: Pick<KubeClient, "request">,
  namespace: string,
  lease: string | undefined,
): Promise<
  | { readonly ok: true; readonly name: string; readonly annotations: Annotations }
  | { readonly ok: false; readonly fault: string }
> {
  if (lease !== undefined) {
    const answer = await client.request({ method: "GET", path: leasePath(namespace, lease) });
    if (answer.status === 404) {
      const hint =
        "leave --lease out, or give --namespace and --lease as parley status --namespace=NAMESPACE shows them";
      return { ok: false, fault: `there is no Lease ${lease} in the namespace ${namespace}: ${hint}` };
    }
    if (answer.status !== 200) return { ok: false, fault: refused(`Lease ${namespace}/${lease}`, answer) };
    const { metadata } = answer.body as { readonly metadata?: { readonly annotations?: Annotations } };
    return { ok: true, name: lease, annotations: metadata?.annotations ?? {} };
  }
  const { leases, fault } = await readOperatorLeases(client, namespace);
  if (fault !== undefined) {
    return { ok: false, fault: visible(`Leases of the namespace ${namespace} cannot be read: ${fault}`) };
  }
  const [first, ...others] = leases;
  if (first === undefined) return { ok: false, fault: noOperatorIn(namespace) };
  if (others.length > 0) {
    const names = leases.map(({ name, summary }) => `--lease=${name} (gateway ${summary.gateway})`).join(", ");
    return { ok: false, fault: visible(`the namespace ${namespace} has several: give one of ${names}`) };
  }
  return { ok: true, name: first.name, annotations: first.annotations };
}

function refused(what: string, { status, body }: { readonly status: number; readonly body: unknown }): string {
  const { reason, message } = refusalOf(status, body);
  return `${what}: ${visible(`${reason} ${message}`)}`;
}

function fail(io: Pick<Io, "err">, fault: string, code = 1): number {
  io.err(`parley confirm: ${fault}\n`);
  return code;
}
