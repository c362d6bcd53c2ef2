// `parley check`: judges manifests without a cluster. In: files, folders or standard input. Out: every fault with its place; exit 0 or 1.
import { stat } from "node:fs/promises";
import { createValidator } from "../crds/validate.ts";
import type { ServiceObject } from "../operator/objects.ts";
import type { ReadableStore } from "../operator/store.ts";
import type { ObjectResult } from "../operator/translate/result.ts";
import { option } from "../process/option-table.ts";
import type { Command as OptionCommand } from "../process/option-table.ts";
import * as value from "../process/option-values.ts";
import { parseOptions } from "../process/options.ts";
import { codeOf, readFolder, readOneFile } from "./folder.ts";
import type { FileText } from "./folder.ts";
import { withExpiry } from "./expired.ts";
import type { Command, Io } from "./io.ts";
import { EMPTY_STATE, mergeFolder } from "./last-good.ts";
import type { FolderState } from "./last-good.ts";
import { createLocalOperator } from "./local-operator.ts";
import { createManifestReader } from "./manifest-reader.ts";
import type { ManifestObject, Problem } from "./manifest.ts";
import { enterCallersFolder } from "./npm.ts";
import { assumedService, readServices } from "./services.ts";
import { WELL_KNOWN_TOKEN } from "./well-known-token.ts";
import { count, formatProblem, problemsOf } from "./report.ts";
import { createPaint } from "./terminal.ts";
import { answerUsage } from "./usage.ts";

const table = {
  format: option(value.oneOf(["text", "json"]), {
    group: "Output",
    default: "text",
    help: "text is a line for each problem; json is one object.",
  }),
  strict: option(value.boolean, {
    group: "Output",
    default: "false",
    help: "Warnings count as errors: a Secret, an agent or a Service that is named but is not in the given files, for one.",
  }),
};

const command: OptionCommand = {
  command: "parley check",
  flagsOnly: true,
  summary:
    "Checks manifests as a cluster and the operator would, without either. Prints file, line, column and what to write instead. " +
    "Exit code 0: all is valid; 1: something is not.",
  operands: {
    placeholder: "FILE|DIR…",
    help: "Files and folders of YAML or JSON; - is standard input. What stands together is judged together.",
    min: 1,
    max: 10_000,
  },
};

/** It is no fault that a key has no Secret when it names none: the operator makes it. */
const MADE_BY_OPERATOR = new Set(["SecretNotFound"]);

export const check: Command = async (argv, io) => {
  const parsed = parseOptions(table, command, { argv, env: io.env });
  if (parsed.kind !== "run") return answerUsage(parsed, command.command, io);

  enterCallersFolder(io.env);
  const texts: FileText[] = [];
  for (const operand of parsed.operands) texts.push(...(await readOperand(operand, io)));
  const { objects, problems } = judge(texts, { strict: parsed.options.strict, now: Date.now() });
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.filter(({ severity }) => severity === "warning").length;
  const valid = errors === 0 && (warnings === 0 || !parsed.options.strict);
  if (parsed.options.format === "json") {
    io.out(`${JSON.stringify({ valid, files: texts.length, objects, errors, warnings, problems }, null, 2)}\n`);
  } else {
    const paint = createPaint(io.outColours);
    for (const problem of problems) io.out(`${formatProblem(problem, paint)}\n`);
    const summary = [count(texts.length, "file"), count(objects, "object"), count(errors, "error")];
    if (warnings > 0) summary.push(count(warnings, "warning"));
    io.out(`${(valid ? paint.green : paint.red)(valid ? "valid" : "not valid")}: ${summary.join(", ")}\n`);
  }
  return valid ? 0 : 1;
};

async function readOperand(operand: string, io: Io): Promise<readonly FileText[]> {
  const now = (): number => Date.now();
  if (operand === "-") return [{ file: "-", text: await io.readStdin(), stamp: "", readAt: now() }];
  try {
    if (!(await stat(operand)).isDirectory()) return [await readOneFile(operand, now)];
    const { files } = await readFolder(operand, now);
    if (files.length > 0) return files;
    return [unreadable(operand, "holds no .yaml, .yml or .json file")];
  } catch (error) {
    const code = codeOf(error);
    return [unreadable(operand, code === "ENOENT" ? "there is no such file" : `cannot be read: ${code}`)];
  }
}

const unreadable = (file: string, fault: string): FileText => ({ file, text: undefined, fault, stamp: "", readAt: 0 });

function namesNoSecret({ kind, namespace, name }: ObjectResult, store: ReadableStore): boolean {
  return kind === "VirtualKey" && store.find(kind, namespace, name)?.spec.secretRef === undefined;
}

/** Services of the files; unless it is strict also those that agents name and that no file has: they may be in the cluster. */
function servicesOf(
  texts: readonly FileText[],
  objects: readonly ManifestObject[],
  strict: boolean,
): readonly ServiceObject[] {
  const services = new Map<string, ServiceObject>();
  const refOfService = ({ metadata }: ServiceObject): string => `${metadata.namespace}/${metadata.name}`;
  for (const service of readServices(texts)) services.set(refOfService(service), service);
  const given = new Set(services.keys());
  for (const object of strict ? [] : objects) {
    if (object.kind !== "A2AAgent") continue;
    for (const { service } of object.spec.backends) {
      if (service === undefined) continue;
      const assumed = assumedService(object.metadata.namespace, service.name, service.port);
      const id = refOfService(assumed);
      if (given.has(id)) continue;
      const ports = [...(services.get(id)?.ports ?? []), ...assumed.ports];
      services.set(id, { ...assumed, ports });
    }
  }
  return [...services.values()];
}

/** A key that may call nobody is valid, but seldom meant. */
function grantsNothing(state: FolderState): Problem[] {
  return [...state.objects.values()].flatMap(({ object, file, position }) => {
    if (object.kind !== "VirtualKey" || (object.spec.agents ?? []).length > 0) return [];
    const { namespace, name } = object.metadata;
    const message = "names no agent, so that every call with this key is refused: add one, as { name: hello }";
    const path = "spec.agents";
    return [{ file, ...position(path), object: `VirtualKey ${namespace}/${name}`, path, message, severity: "warning" }];
  });
}

/** Schema and rules of each object, then what translation finds of all of them together. */
function judge(
  texts: readonly FileText[],
  { strict, now }: { readonly strict: boolean; readonly now: number },
): { readonly objects: number; readonly problems: readonly Problem[] } {
  const read = createManifestReader(createValidator())(texts);
  const state = mergeFolder(EMPTY_STATE, read.files);
  const found = grantsNothing(state);
  const gateways = new Set<string>();
  const objects = [...state.objects.values()].map(({ object }) => object);
  const services = servicesOf(texts, objects, strict);
  for (const object of objects) if (object.kind !== "Secret") gateways.add(object.spec.gatewayName);
  for (const gatewayName of gateways) {
    const operator = createLocalOperator({
      settings: {
        gatewayName,
        trustedProxies: [],
        allowedUpstreams: [],
        // Where the manifests will be served is not known here; a gateway off loopback refuses it.
        exemptTokens: [WELL_KNOWN_TOKEN],
        selectors: true,
        // Namespaces are no part of the files.
        labelsUnknown: true,
      },
      log: { error: () => undefined },
    });
    for (const service of services) operator.store.set(service);
    operator.apply(objects);
    for (const result of withExpiry(operator.results(), now).results) {
      found.push(
        ...problemsOf(result, state, namesNoSecret(result, operator.store) ? { ignored: MADE_BY_OPERATOR } : {}),
      );
    }
  }
  const order = new Map(texts.map(({ file }, index) => [file, index]));
  const problems = [...read.problems, ...state.problems, ...found].toSorted(
    (a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line || a.column - b.column,
  );
  return { objects: objects.length, problems };
}
