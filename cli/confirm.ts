// `parley confirm`: lets operators drop what they hold. In: the Lease of a gateway's operators. Out: what is held, and, with --yes, the word
// of an administrator on the Lease, which every operator reads.
import { CONFIRMED_ANNOTATION, HELD_ANNOTATION, parseHeld } from "../operator/held.ts";
import { leasePath } from "../operator/kube/lease.ts";
import { refusalOf } from "../operator/kube/refusal.ts";
import type { HeldKind } from "../operator/relists.ts";
import { option } from "../process/option-table.ts";
import type { Command as OptionCommand } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";
import { parseOptions } from "../process/options.ts";
import { visible } from "../process/visible.ts";
import { apiServer, CLUSTER_GROUP, kubeconfigOption } from "./api-server.ts";
import type { Command, Io } from "./io.ts";
import { answerUsage } from "./usage.ts";

const table = {
  kubeconfig: kubeconfigOption,
  namespace: option(value.dnsLabel, {
    group: CLUSTER_GROUP,
    default: "default",
    help: "Namespace of the operators' Lease.",
  }),
  lease: option(value.objectName, {
    group: CLUSTER_GROUP,
    default: "parley-operator-default",
    help: "The operators' Lease: parley-operator-{gateway-name} unless they were told otherwise; parley status shows its name.",
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
  const path = leasePath(namespace, lease);
  try {
    const answer = await client.request({ method: "GET", path });
    if (answer.status === 404) {
      const hint =
        "give --namespace and --lease as parley status --namespace=NS shows them (the chart's is parley-operator)";
      return fail(io, `there is no Lease ${lease} in the namespace ${namespace}: ${hint}`);
    }
    if (answer.status !== 200) return fail(io, refused(`Lease ${namespace}/${lease}`, answer));
    const text = annotationsOf(answer.body)[HELD_ANNOTATION];
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
        `Proxies go on serving all of this. If it was meant to go: parley confirm --namespace=${namespace} --lease=${lease} --yes\n`,
      );
      return 0;
    }
    const confirmed = await client.request({
      method: "PATCH",
      path,
      contentType: "application/merge-patch+json",
      body: { metadata: { annotations: { [CONFIRMED_ANNOTATION]: held.map(({ id }) => id).join(",") } } },
    });
    if (confirmed.status !== 200) return fail(io, refused(`Lease ${namespace}/${lease}`, confirmed));
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

function annotationsOf(lease: unknown): Readonly<Record<string, string>> {
  const { metadata } = lease as { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  return metadata?.annotations ?? {};
}

function refused(what: string, { status, body }: { readonly status: number; readonly body: unknown }): string {
  const { reason, message } = refusalOf(status, body);
  return `${what}: ${visible(`${reason} ${message}`)}`;
}

function fail(io: Pick<Io, "err">, fault: string, code = 1): number {
  io.err(`parley confirm: ${fault}\n`);
  return code;
}
