// The real API server and the offline check are shown the same objects, and must accept and refuse the same.
// Cases are made of the schema (every field, every bound) and of values at the edges of every rule.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { unknownFields } from "../../crds/defaults.ts";
import { readSchemas, type Schema } from "../../crds/schema.ts";
import { validateSecret } from "../../crds/secret.ts";
import { createSchemaCheck, createValidator } from "../../crds/validate.ts";
import { type ApiServer, startApiServer } from "../harness/api-server.ts";
import { type Case, mutations, read, write } from "./crds/mutations.ts";
import { AGENT, AGENT_STATUS, KEY, KEY_STATUS, SECRET } from "./crds/objects.ts";
import { AGENT_VALUES } from "./crds/agent-values.ts";
import { METADATA_VALUES, SECRET_VALUES } from "./crds/core-values.ts";
import { KEY_VALUES } from "./crds/key-values.ts";
import type { Values } from "./crds/values.ts";

interface Verdict {
  readonly accepted: boolean;
  readonly spec: unknown;
  readonly causes: readonly { readonly field: string; readonly message: string }[];
  readonly said: string;
}

const API = "/apis/parley.dev/v1alpha1/namespaces/default";
const validator = createValidator();
const schemas = new Map(readSchemas().map(({ kind, schema }) => [kind, schema]));
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer();
  await server.applyCrds();
});
afterAll(() => server.stop());

/** What the API server says of an object, without keeping it. */
async function ask(path: string, object: unknown, method = "POST"): Promise<Verdict> {
  const answer = await server.request(method, `${path}?dryRun=All&fieldValidation=Strict`, object);
  const { status } = answer;
  const body = answer.body as typeof answer.body & {
    readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message?: string }[] };
  };
  if (![200, 201, 400, 422].includes(status)) throw new Error(`${path}: ${status} ${body.message ?? ""}`);
  const causes = (body.details?.causes ?? []).map(({ field = "", message = "" }) => ({
    field: field === "<nil>" ? "" : field,
    message,
  }));
  return { accepted: status < 300, spec: body.spec, causes, said: body.message ?? "" };
}

/** Runs a judgement over all cases, a few at a time; the results are in the order of the cases. */
async function each<T>(cases: readonly Case[], judge: (one: Case) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const rest = cases.entries();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const [index, one] of rest) results[index] = await judge(one);
    }),
  );
  return results;
}

const edges = (object: unknown, all: readonly Values[]): (Case & { readonly good: boolean })[] =>
  all.flatMap(({ place, good, bad }) => [
    ...good.map((value) => ({ name: nameOf(place, value), object: write(object, place, value), good: true })),
    ...bad.map((value) => ({ name: nameOf(place, value), object: write(object, place, value), good: false })),
  ]);
const nameOf = (place: readonly (string | number)[], value: unknown): string =>
  `${place.join(".")} = ${(value === undefined ? "absent" : JSON.stringify(value)).slice(0, 80)}`;

const KINDS = [
  {
    kind: "A2AAgent",
    path: `${API}/a2aagents`,
    object: AGENT,
    values: AGENT_VALUES,
    status: AGENT_STATUS,
    columns: [
      ["Name", "travel"],
      ["URL", "https://gateway.example.com/a2a/travel"],
      ["Endpoints", 3],
      ["Ready", "True"],
      ["Versions", "0.3,1.0"],
    ],
    wide: [
      ["Known", 4],
      ["Reason", "Programmed"],
    ],
  },
  {
    kind: "VirtualKey",
    path: `${API}/virtualkeys`,
    object: KEY,
    values: KEY_VALUES,
    status: KEY_STATUS,
    columns: [
      ["Name", "alice"],
      ["User", "alice@example.com"],
      ["Team", "Booking & Travel"],
      ["Expires", "2027-01-01T00:00:00Z"],
      ["Ready", "True"],
    ],
    wide: [],
  },
] as const;

function schemaOf(kind: "A2AAgent" | "VirtualKey", member: "spec" | "status"): Schema {
  const schema = schemas.get(kind)?.properties?.[member];
  if (schema === undefined) throw new Error(`${kind} has no ${member}`);
  return schema;
}

describe.each(KINDS)("$kind", ({ kind, path, object, values, status, columns, wide }) => {
  const valueCases = edges(object, values);
  const metadataCases = edges(object, METADATA_VALUES);
  const cases = [
    { name: "as it is", object },
    ...mutations(schemaOf(kind, "spec"), object, ["spec"]),
    ...valueCases,
    ...metadataCases,
  ];

  test("its CRD is accepted whole: structural, and no rule too costly", async () => {
    const name = path.split("/").at(-1) ?? "";
    const { body } = await server.request(
      "GET",
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}.parley.dev`,
    );
    const conditions = Object.fromEntries((body.status?.conditions ?? []).map((one) => [one.type, one.status]));
    expect(conditions).toEqual({ NamesAccepted: "True", Established: "True" });
    // What the API server keeps is what the file says: nothing was dropped, nothing was filled in.
    const file = parse(readFileSync(join(import.meta.dirname, `../../crds/${name}.yaml`), "utf8"));
    const kept = read(body, ["spec", "versions", 0, "schema", "openAPIV3Schema"]);
    expect(kept).toEqual(file.spec.versions[0].schema.openAPIV3Schema);
  });

  test("edge values are judged as they should be", () => {
    const wrong = [...valueCases, ...metadataCases].filter((one) => validator.validate(one.object).ok !== one.good);
    expect(wrong.map((one) => one.name)).toEqual([]);
  });

  test("the API server and the offline check accept and refuse the same", async () => {
    const broken = new Set<string>();
    const differences = await each(cases, async (one) => {
      const online = await ask(path, one.object);
      const offline = validator.validate(one.object);
      if (online.accepted !== offline.ok) {
        return `${one.name}: ${online.accepted ? "only the offline check refuses" : "only the API server refuses"}: ${
          offline.ok ? online.said : JSON.stringify(offline.faults)
        }`;
      }
      if (offline.ok) {
        return JSON.stringify(sorted(offline.object.spec)) === JSON.stringify(sorted(online.spec))
          ? []
          : `${one.name}: the defaults differ`;
      }
      for (const { field, message } of online.causes) broken.add(ruleId(field, message));
      return online.causes
        .map(({ field, message }) => ({ field, message: said(message) }))
        .filter(({ message }) => rulesOf(kind).some((rule) => message === rule.message))
        .filter(
          ({ field, message }) => !offline.faults.some((fault) => fault.path === field && fault.message === message),
        )
        .map(({ field, message }) => `${one.name}: only the API server says of ${field}: ${message}`);
    });
    expect(differences.flat()).toEqual([]);
    expect(
      rulesOf(kind)
        .map((rule) => ruleId(rule.path, rule.message))
        .filter((id) => !broken.has(id)),
    ).toEqual([]);
  });

  describe("kept", () => {
    let resourceVersion = "";
    beforeAll(async () => {
      const made = await server.request("POST", path, object);
      resourceVersion = made.body.metadata?.resourceVersion ?? "";
    });

    test("status is bounded as the schema says", async () => {
      const check = createSchemaCheck();
      const schema = schemaOf(kind, "status");
      const whole = write(write(object, ["status"], status), ["metadata", "resourceVersion"], resourceVersion);
      const differences = await each(mutations(schema, whole, ["status"]), async (one) => {
        const online = await ask(`${path}/${object.metadata.name}/status`, one.object, "PUT");
        const given = read(one.object, ["status"]);
        const offline =
          given === undefined ||
          given === null ||
          (check(schema, given).faults.length === 0 && unknownFields(schema, given).length === 0);
        return online.accepted === offline ? [] : `${one.name}: ${online.accepted ? "accepted" : online.said}`;
      });
      expect(differences.flat()).toEqual([]);
    });

    test("kubectl get shows a value in every column", async () => {
      const one = `${path}/${object.metadata.name}`;
      const { body } = await server.request("GET", one);
      await server.request("PUT", `${one}/status`, { ...body, status });
      const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
      const answer = await server.request("GET", one, undefined, { accept });
      const table = answer.body as unknown as {
        readonly columnDefinitions: readonly { readonly name: string }[];
        readonly rows: readonly { readonly cells: readonly unknown[] }[];
      };
      const cells = table.columnDefinitions.map(({ name }, index) => [name, table.rows[0]?.cells[index]]);
      expect(cells).toEqual([...columns, ["Age", expect.any(String)], ...wide]);
    });
  });
});

test("Secrets are accepted and refused as by the API server", async () => {
  const cases = [
    { name: "as it is", object: SECRET, good: true },
    ...edges(SECRET, SECRET_VALUES),
    ...edges(
      SECRET,
      METADATA_VALUES.filter(({ place }) => place[0] === "metadata"),
    ),
  ];
  const differences = await each(cases, async (one) => {
    const online = await ask("/api/v1/namespaces/default/secrets", one.object);
    const offline = validateSecret(one.object);
    if (online.accepted === offline.ok) return [];
    return `${one.name}: ${offline.ok ? online.said : JSON.stringify(offline.faults)}`;
  });
  expect(differences.flat()).toEqual([]);
});

interface PlacedRule {
  readonly path: string;
  readonly message: string;
}

/** Every rule of a kind's spec and root, with the place that its fault is at. */
function rulesOf(kind: "A2AAgent" | "VirtualKey"): PlacedRule[] {
  const schema = schemas.get(kind);
  return schema === undefined ? [] : rulesIn({ ...schema, properties: { spec: schemaOf(kind, "spec") } }, "");
}

function rulesIn(schema: Schema, path: string): PlacedRule[] {
  const own = (schema["x-kubernetes-validations"] ?? []).map(({ message, fieldPath = "" }) => ({
    path: `${path}${fieldPath}`.replace(/^\./, ""),
    message,
  }));
  return [
    ...own,
    ...(schema.items === undefined ? [] : rulesIn(schema.items, `${path}[]`)),
    ...(schema.additionalProperties === undefined ? [] : rulesIn(schema.additionalProperties, `${path}[]`)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
      rulesIn(inner, path === "" ? name : `${path}.${name}`),
    ),
  ];
}

/** A rule by place and message, whatever the position in a list or the key in a map. */
const ruleId = (field: string, message: string): string => `${field.replaceAll(/\[[^\]]*\]/g, "[]")}: ${said(message)}`;

/** What the API server says, without the value that it says it of. */
const said = (message: string): string =>
  message.replace(/^(?:Invalid value: (?:"[^"]*"|null|-?\d+)|Required value): /, "");

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.map(([name, member]) => [name, sorted(member)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
