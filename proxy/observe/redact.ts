// Content made fit for a log. In: JSON text, whole or cut off anywhere, and paths. Out: the same text with what is secret replaced.
// A text is walked, not parsed: what was cut at a limit is still redacted, doubled members each count, and what is no JSON ends it.
import { type Step, parsePath } from "./json-path.ts";

export const REDACTED = "[redacted]";
/** What stands deeper is not looked at, and not shown. */
const MAX_DEPTH = 64;

/** Members whose values are credentials wherever they stand, by the end of their names without `-`, `_` and case. */
const SECRET =
  /(?:authorization|authentication|token|secret|password|passwd|passphrase|apikey|accesskey|secretkey|privatekey|credentials?|cookie)$/;
const ADDRESS = /(?:url|uri)$/;
/** What an agent says of its faults often holds what it was configured with. */
const ERROR_TEXT = /^(?:message|data|details?)$/;
/** Each takes time in proportion to the text, whatever that is: clients choose it. */
const credentials: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic|Digest|Negotiate)[ \t]+[^\s"',;]+/gi, `$1 ${REDACTED}`],
  // Up to the last "@": a password may hold one. No scheme is longer.
  [/(\b[a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/"]+@/gi, `$1${REDACTED}@`],
];
/** Text that may hold a JSON Web Token, and where in it that begins. */
const tokenText = /[A-Za-z0-9_.-]+/g;
const tokenStart = /\beyJ[A-Za-z0-9_-]/;

/**
 * Redacts by built-in rules and by paths. `$` is the whole text. Credentials and addresses of webhooks go by their names, texts of
 * errors by their place, `Bearer …`, JSON Web Tokens and `user:password@` wherever they stand in a text; URLs keep only their origin.
 */
export function createRedactor(paths: readonly string[] = []): (text: string) => string {
  const parsed = paths.map((path) => parsePath(path) ?? EVERYTHING);
  const start = parsed.map((_, index) => index * MAX_STEPS);
  return (text) => new Walk(text, parsed).run(start);
}

/** A path that cannot be read hides all: it was meant to hide something. */
const EVERYTHING: readonly Step[] = [{ descends: true, key: null }];
const MAX_STEPS = 1024;

class Walk {
  readonly #text: string;
  readonly #paths: readonly (readonly Step[])[];
  #at = 0;
  #out = "";
  #depth = 0;

  constructor(text: string, paths: readonly (readonly Step[])[]) {
    this.#text = text;
    this.#paths = paths;
  }

  run(start: readonly number[]): string {
    const whole = this.#value(start, "", "");
    return this.#out === "" ? "[not JSON]" : whole ? this.#out : `${this.#out}…`;
  }

  /** False: the text ended, or is no JSON here. */
  #value(states: readonly number[], name: string, parent: string): boolean {
    this.#blank();
    const first = this.#text[this.#at];
    if (first === "{" || first === "[") {
      if (this.#depth === MAX_DEPTH) return this.#hide();
      this.#depth++;
      const whole = first === "{" ? this.#object(states, name) : this.#array(states, name);
      this.#depth--;
      return whole;
    }
    if (first === '"') return this.#string(name, parent);
    const literal = /[^\s,\]}"[{]+/y;
    literal.lastIndex = this.#at;
    const [found] = literal.exec(this.#text) ?? [];
    // No number, and no literal: whatever it is, it may be anything.
    if (found === undefined || !/^(?:-?[0-9][0-9.eE+-]*|t(r(ue?)?)?|f(a(l(se?)?)?)?|n(u(ll?)?)?)$/.test(found))
      return false;
    this.#out += found;
    this.#at += found.length;
    return this.#at < this.#text.length || this.#depth === 0;
  }

  #object(states: readonly number[], parent: string): boolean {
    this.#copy();
    this.#blank();
    if (this.#text[this.#at] === "}") return this.#copy();
    for (;;) {
      this.#blank();
      const from = this.#at;
      const key = this.#readString();
      if (key === undefined || !key.whole) return false;
      this.#blank();
      if (this.#text[this.#at] !== ":") return false;
      this.#out += `${this.#text.slice(from, this.#at)}:`;
      this.#at++;
      const plain = key.text.toLowerCase().replaceAll(/[-_. ]/g, "");
      const next = this.#step(states, key.text);
      const hidden = next === undefined || SECRET.test(plain) || (parent === "error" && ERROR_TEXT.test(plain));
      if (!(hidden ? this.#hide() : this.#value(next, plain, parent))) return false;
      this.#blank();
      const after = this.#text[this.#at];
      if (after !== "," && after !== "}") return false;
      this.#copy();
      if (after === "}") return true;
    }
  }

  #array(states: readonly number[], name: string): boolean {
    this.#copy();
    this.#blank();
    if (this.#text[this.#at] === "]") return this.#copy();
    for (let index = 0; ; index++) {
      const next = this.#step(states, index);
      if (!(next === undefined ? this.#hide() : this.#value(next, name, ""))) return false;
      this.#blank();
      const after = this.#text[this.#at];
      if (after !== "," && after !== "]") return false;
      this.#copy();
      if (after === "]") return true;
    }
  }

  /** Where all paths stand one step further; undefined: one of them ends here. */
  #step(states: readonly number[], key: string | number): readonly number[] | undefined {
    const next: number[] = [];
    for (const state of states) {
      const path = this.#paths[Math.floor(state / MAX_STEPS)] ?? EVERYTHING;
      const index = state % MAX_STEPS;
      const wanted = path[index];
      if (wanted === undefined) continue;
      if (wanted.descends && !next.includes(state)) next.push(state);
      if (wanted.key !== null && wanted.key !== key) continue;
      if (index + 1 === path.length) return undefined;
      if (!next.includes(state + 1)) next.push(state + 1);
    }
    return next;
  }

  #string(name: string, parent: string): boolean {
    const from = this.#at;
    const read = this.#readString();
    if (read === undefined) return false;
    const raw = this.#text.slice(from, this.#at);
    const shown = ADDRESS.test(name) ? originOf(read.text, read.whole) : withoutCredentials(read.text);
    // An error that is a text of its own, in place of an object.
    if (name === "error" || parent === "error") this.#out += `"${REDACTED}"`;
    else this.#out += shown === read.text && read.whole ? raw : JSON.stringify(shown);
    return read.whole;
  }

  /** Decoded, so that escapes hide nothing. */
  #readString(): { readonly text: string; readonly whole: boolean } | undefined {
    if (this.#text[this.#at] !== '"') return undefined;
    const body = /"((?:[^"\\]+|\\.)*)("?)/sy;
    body.lastIndex = this.#at;
    const match = body.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    const [, raw = "", end] = match;
    if (end === "") this.#at = this.#text.length;
    try {
      const complete = end === '"' ? raw : raw.replace(/\\u[0-9a-fA-F]{0,3}$/, "");
      return { text: complete.includes("\\") ? String(JSON.parse(`"${complete}"`)) : complete, whole: end === '"' };
    } catch {
      return undefined;
    }
  }

  /** Passes a value over without a look at it. */
  #hide(): boolean {
    this.#out += `"${REDACTED}"`;
    const token = /"(?:[^"\\]+|\\.)*"?|[{}[\],]|[^"{}[\],]+/sy;
    let open = 0;
    token.lastIndex = this.#at;
    for (;;) {
      const before = token.lastIndex;
      const [found] = token.exec(this.#text) ?? [];
      if (found === undefined) break;
      if (open === 0 && (found === "," || found === "}" || found === "]")) {
        this.#at = before;
        return true;
      }
      if (found === "{" || found === "[") open++;
      else if (found === "}" || found === "]") open--;
    }
    this.#at = this.#text.length;
    return false;
  }

  #copy(): true {
    this.#out += this.#text[this.#at] ?? "";
    this.#at++;
    return true;
  }

  #blank(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }
}

function withoutCredentials(text: string): string {
  let shown = text;
  for (const [form, instead] of credentials) shown = shown.replace(form, instead);
  return shown.includes("eyJ") ? shown.replace(tokenText, withoutToken) : shown;
}

function withoutToken(text: string): string {
  const at = text.search(tokenStart);
  return at === -1 || !text.includes(".", at) ? text : text.slice(0, at) + REDACTED;
}

/** Paths and queries of webhooks and of signed addresses are secrets. */
function originOf(text: string, whole: boolean): string {
  const url = whole ? URL.parse(text) : null;
  return url === null || url.origin === "null" ? REDACTED : url.origin;
}
