// `parley key`: makes a virtual key. In: a name and what it may call. Out: manifests of a VirtualKey and its Secret, and the token, once.
import { randomBytes } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { isDateTime } from "../crds/date-time.ts";
import { CREDENTIAL_LABEL } from "../crds/secret.ts";
import { createValidator } from "../crds/validate.ts";
import type { Validated } from "../crds/validate.ts";
import { secretRefOf } from "../operator/secret-ref.ts";
import { option } from "../process/option-table.ts";
import type { Command as OptionCommand } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";
import { parseOptions } from "../process/options.ts";
import { codeOf } from "./folder.ts";
import type { Command, Io } from "./io.ts";
import { enterCallersFolder } from "./npm.ts";
import { createPaint } from "./terminal.ts";
import { answerUsage } from "./usage.ts";

/** What --expires takes: a time, or how long from now. */
const expiry: value.ValueType<{ readonly at: string } | { readonly inMs: number }> = {
  placeholder: "DURATION|TIME",
  parse(text) {
    const instead = { ok: false, instead: "a duration as 720h, or a time as 2027-01-01T00:00:00Z" } as const;
    if (isDateTime(text)) return { ok: true, value: { at: text } };
    const days = /^([1-9][0-9]{0,4})d$/.exec(text);
    if (days !== null) return { ok: true, value: { inMs: Number(days[1]) * 86_400_000 } };
    const parsed = value.duration.parse(text);
    return parsed.ok && parsed.value > 0 ? { ok: true, value: { inMs: parsed.value } } : instead;
  },
};

/** Of this namespace, or of another. */
const agentReference: value.ValueType<string> = {
  placeholder: "[NAMESPACE/]AGENT",
  parse(text) {
    const names = text.split("/");
    return names.length <= 2 && names.every((name) => value.dnsLabel.parse(name).ok)
      ? { ok: true, value: text }
      : { ok: false, instead: "the name of an agent, as hello or shared/search" };
  },
};

const line = (placeholder: string, what: string): value.ValueType<string> =>
  value.text(placeholder, /^[^\p{Cc}]{1,256}$/u, what);

const table = {
  namespace: option(line("NAMESPACE", "a namespace"), {
    group: "Key",
    help: "Namespace of the objects; without it none is written.",
  }),
  agent: option(value.listOf(agentReference), {
    group: "Key",
    default: "",
    help: "Agents that the key may call, as hello or shared/search. Without any it may call none.",
  }),
  user: option(line("USER", "a user"), { group: "Key", help: "Whom calls are attributed to." }),
  team: option(line("TEAM", "a team"), { group: "Key", help: "Which team calls are attributed to." }),
  expires: option(expiry, { group: "Key", help: "When the key ends, as 720h, 30d or a time. Default never." }),
  out: option(value.path, {
    group: "Output",
    help: "Folder to write NAME-key.yaml to, readable by you alone; without it the manifests go to standard output.",
  }),
};

const command: OptionCommand = {
  command: "parley key",
  flagsOnly: true,
  summary:
    "Makes a virtual key: a VirtualKey and the Secret with its token, `sk-` and 256 random bits. The token is shown once on standard " +
    "error; the gateway keeps only its SHA-256.",
  operands: { placeholder: "NAME", help: "Name of the VirtualKey, as alice.", min: 1, max: 1 },
};

export const key: Command = async (argv, io) => {
  const parsed = parseOptions(table, command, { argv, env: io.env });
  if (parsed.kind !== "run") return answerUsage(parsed, command.command, io);

  enterCallersFolder(io.env);
  const { options } = parsed;
  const name = parsed.operands[0] ?? "";
  const { expires } = options;
  const expiresAt =
    expires === undefined || "at" in expires
      ? expires?.at
      : new Date(Date.now() + expires.inMs).toISOString().replace(/\.\d+Z$/, "Z");
  const virtualKey = makeKey({ ...options, name, expiresAt });
  const faults = faultsOf(createValidator().validate(virtualKey));
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) {
    faults.push(`--expires: ${expiresAt} is over: give a time to come`);
  }
  if (faults.length > 0) {
    for (const fault of faults) io.err(`parley key: ${fault}\n`);
    return 2;
  }
  const token = `sk-${randomBytes(32).toString("base64url")}`;
  const text = [virtualKey, makeSecret(virtualKey, token)].map((each) => stringify(each)).join("---\n");
  if (options.out === undefined) {
    io.out(text);
    tell(io, token, `The key is in the Secret above: apply both, then use it as Authorization: Bearer <key>.`);
    return 0;
  }
  const file = join(options.out, `${name}-key.yaml`);
  try {
    await mkdir(options.out, { recursive: true });
    // Never over a file that is there, and at no moment readable by others.
    const handle = await open(file, "wx", 0o600);
    await handle.writeFile(text);
    await handle.close();
  } catch (error) {
    const code = codeOf(error);
    io.err(
      code === "EEXIST"
        ? `parley key: ${file} is there already and stays as it is: remove it, or choose another name\n`
        : `parley key: ${file} cannot be written: ${code}\n`,
    );
    return 1;
  }
  io.out(`${file}\n`);
  tell(io, token, `It is in ${file}, which only you can read.`);
  return 0;
};

function tell(io: Io, token: string, where: string): void {
  const paint = createPaint(io.errColours);
  io.err(`\n${paint.dim("Key, shown this once:")} ${paint.bold(token)}\n${where}\n`);
}

interface KeyManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly secretRef: { readonly name: string; readonly key: string } } & Readonly<
    Record<string, unknown>
  >;
}

function makeKey(given: {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly agent: readonly string[];
  readonly user: string | undefined;
  readonly team: string | undefined;
  readonly expiresAt: string | undefined;
}): KeyManifest {
  const { name, namespace, agent, user, team, expiresAt } = given;
  const owner = { ...(user === undefined ? {} : { user }), ...(team === undefined ? {} : { team }) };
  return {
    apiVersion: "parley.dev/v1alpha1",
    kind: "VirtualKey",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: {
      secretRef: secretRefOf({ metadata: { name }, spec: {} }),
      ...(Object.keys(owner).length === 0 ? {} : { owner }),
      agents: agent.map((each) => {
        const [first = "", second] = each.split("/", 2);
        return second === undefined ? { name: first } : { namespace: first, name: second };
      }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  };
}

const makeSecret = ({ metadata: { namespace }, spec: { secretRef } }: KeyManifest, token: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: {
    name: secretRef.name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { [CREDENTIAL_LABEL]: "key" },
  },
  stringData: { [secretRef.key]: token },
});

/** Fields whose values come from the command line as they are. */
const WRITTEN_AS: Readonly<Record<string, string>> = {
  "metadata.name": "NAME",
  "metadata.namespace": "--namespace",
  "spec.agents": "--agent",
};

/** In words of the command line. The Secret is named after the key: of a name that is no name, its fault is the same. */
function faultsOf(validated: Validated): string[] {
  if (validated.ok) return [];
  const { faults } = validated;
  const named = !faults.some(({ path }) => path === "metadata.name");
  return faults.flatMap(({ path, message }) => {
    if (path !== "spec.secretRef.name") return [`${WRITTEN_AS[path] ?? path}: ${message}`];
    return named ? [`NAME: with -key after it, the name of its Secret ${message}`] : [];
  });
}
