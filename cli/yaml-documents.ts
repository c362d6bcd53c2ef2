// YAML as text into documents that remember where everything stands. In: the text of one file. Out: documents and syntax faults.
// No message shows a piece of the text: it may be a Secret.
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments, visit } from "yaml";
import type { Document, Node, Pair, ParsedNode, ScalarTag, YAMLError } from "yaml";

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlFault extends Position {
  readonly message: string;
}

export interface YamlDocument extends Position {
  /** Plain JavaScript, aliases resolved. */
  readonly value: unknown;
  /** Where a path as `spec.backends[0].url` stands; of a path that is not there, the nearest thing above it. */
  readonly position: (path: string) => Position;
}

export interface YamlFile {
  readonly documents: readonly YamlDocument[];
  readonly faults: readonly YamlFault[];
}

const messages: Readonly<Record<string, string>> = {
  ALIAS_PROPS: "an alias (*name) can have neither anchor nor tag",
  BAD_ALIAS: "the alias (*name) has no anchor (&name) before it; put text that begins with * in quotes",
  BAD_INDENT: "the indentation does not fit",
  BAD_DQ_ESCAPE: 'an escape in "…" is not valid; write \\\\ for a backslash, or use single quotes',
  BAD_SCALAR_START: "text that begins with this character needs quotes",
  BLOCK_AS_IMPLICIT_KEY: "a key is expected here; text with ': ' in it needs quotes",
  BLOCK_IN_FLOW: "inside [ ] or { } only [ ] and { } may stand",
  DUPLICATE_KEY: "the key stands twice",
  KEY_OVER_1024_CHARS: "the key is too long",
  MISSING_CHAR: "something is missing here: a closing quote or bracket, a comma, or a blank after ':'",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line; is a ':' missing?",
  TAB_AS_INDENT: "use blanks, not tabs",
  UNEXPECTED_TOKEN: "this is not expected here",
};

const TEMPLATE =
  "a key cannot be { } or [ ]: a template with {{ }} has to be rendered first, as by helm template; as plain text it needs quotes";

/** The API server reads these words as booleans (YAML 1.1), so they are booleans here too. */
const wordBooleans: ScalarTag = {
  identify: () => false,
  default: true,
  tag: "tag:yaml.org,2002:bool",
  test: /^(?:[Yy]|[Yy]es|YES|[Oo]n|ON|[Nn]|[Nn]o|NO|[Oo]ff|OFF)$/,
  resolve: (text) => /^(?:y|on)/i.test(text),
};

/** Never throws. Documents with syntax faults are left out; empty ones too. */
export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults: YamlFault[] = [];
  const documents: YamlDocument[] = [];
  const source = text.replace(/^\uFEFF/, "");
  const parsed = parseAllDocuments(source, {
    lineCounter: lines,
    prettyErrors: false,
    // What it would warn of is a fault here.
    logLevel: "error",
    merge: true,
    customTags: (tags) => [wordBooleans, ...tags],
  });
  for (const document of "empty" in parsed ? [] : parsed) {
    if (document.errors.length > 0) {
      for (const error of worthTelling(document.errors)) {
        const isTemplate = /\{\{/.test(lineAround(source, error.pos[0]));
        faults.push({ ...at(error.pos[0]), message: isTemplate ? TEMPLATE : messageOf(error) });
      }
      continue;
    }
    const strange = firstStrangeKey(document);
    if (strange !== undefined) {
      faults.push({ ...at(strange), message: TEMPLATE });
      continue;
    }
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) continue;
    const start = at(document.contents.range[0]);
    try {
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      documents.push({ ...start, value, position: (path) => locate(document, path, at) ?? start });
    } catch {
      const unresolved = firstUnresolved(document);
      if (unresolved !== undefined) faults.push({ ...at(unresolved), message: messages["BAD_ALIAS"] ?? "" });
      else faults.push({ ...start, message: "the aliases (*name) of this document unfold to too much" });
    }
  }
  return { documents, faults };
}

/** The first one: those that follow come of it, as a rule. Keys that stand twice are each a fault of their own. */
function worthTelling(errors: readonly YAMLError[]): readonly YAMLError[] {
  return errors.filter(({ code }, index) => index === 0 || code === "DUPLICATE_KEY");
}

function messageOf({ code, message }: YAMLError): string {
  // The parser says of which kind it is in these words alone.
  if (code === "BAD_INDENT" && message.startsWith("Flow map")) return "a { is not closed: a } is missing before this";
  if (code === "BAD_INDENT" && message.startsWith("Flow seq")) return "a [ is not closed: a ] is missing before this";
  return messages[code] ?? "this is not valid YAML";
}

function lineAround(text: string, offset: number): string {
  const end = text.indexOf("\n", offset);
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, end === -1 ? text.length : end);
}

/** Offset of the first key that is no plain value: what the API server would not take, and what a template looks like. */
function firstStrangeKey(document: Document.Parsed): number | undefined {
  let found: number | undefined;
  visit(document, {
    Pair(_key, { key }) {
      const node = isAlias(key) ? key.resolve(document) : key;
      if (!isMap(node) && !isSeq(node)) return undefined;
      found = (isAlias(key) ? key : node).range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

/** Offset of the first alias without an anchor. */
function firstUnresolved(document: Document.Parsed): number | undefined {
  let found: number | undefined;
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      found = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return found;
}

/** `a.b[0].c[example.com/team]` into its steps. */
function stepsOf(path: string): string[] {
  return [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, inBrackets, plain]) => inBrackets ?? plain ?? "");
}

function locate(document: Document.Parsed, path: string, at: (offset: number) => Position): Position | undefined {
  let node: Node | null | undefined = document.contents;
  let best: number | undefined = document.contents?.range[0];
  for (const step of stepsOf(path)) {
    if (isAlias(node)) node = node.resolve(document);
    if (isSeq(node)) {
      node = (node.items as Node[])[Number(step)];
      best = node?.range?.[0] ?? best;
    } else if (isMap(node)) {
      const pair: Pair<ParsedNode, ParsedNode | null> | undefined = (
        node.items as Pair<ParsedNode, ParsedNode | null>[]
      ).find(({ key }) => isScalar(key) && String(key.value) === step);
      if (pair === undefined) break;
      node = pair.value;
      // A value on the key's line is at fault itself; of what goes on below, the key is the head.
      best = isScalar(node) && node.value !== null ? node.range?.[0] : pair.key.range[0];
    } else break;
    if (node === undefined || node === null) break;
  }
  return best === undefined ? undefined : at(best);
}
