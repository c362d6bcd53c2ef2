// Which members of a JSON document matter. In: positions by name. Out: tables that the scanner walks while bytes pass.
// A position is found in any spelling that some decoder might take for it, so that a variant can be refused.

/** What was seen at a position, as bits. Zero: nothing. */
export const FACT = {
  string: 1,
  number: 2,
  object: 4,
  array: 8,
  true: 16,
  false: 32,
  null: 64,
  /** The member stood more than once, in whatever spelling. */
  doubled: 128,
  /** The name differs from all its spellings, but only in case, underscores or Unicode form. */
  variant: 256,
  /** The value is longer than `MAX_TOKEN_BYTES`, or the list longer than `MAX_LIST`: it was not kept. */
  tooLong: 512,
  /** The string holds half of a surrogate pair: decoders read it differently. */
  illFormed: 1024,
} as const;

/** A position. Slots are small numbers, chosen by the reader; slot 0 is the document itself. */
export interface Position {
  readonly slot: number;
  /** Every spelling that stands for this member; two of them in one object are the member doubled. */
  readonly names: readonly string[];
  /** `text`: strings are kept decoded; `raw`: strings and numbers are kept as they were sent. */
  readonly keep?: "text" | "raw";
  /** What a text commonly is, in ASCII: these are compared instead of decoded, which costs several times as much. */
  readonly values?: readonly string[];
  /** Members of interest, where the value is an object. */
  readonly members?: readonly Position[];
  /** Slot of the elements, where the value is an array of strings to be kept. */
  readonly elements?: number;
}

export const KEEP_NONE = 0;
export const KEEP_TEXT = 1;
export const KEEP_RAW = 2;
export const KEEP_ELEMENT = 3;

/** A position, compiled. */
export interface Entry {
  readonly slot: number;
  readonly keep: number;
  readonly names: readonly string[];
  readonly values: readonly string[];
  readonly node: Node | undefined;
  readonly element: Entry | undefined;
}

/** The members of interest of one object. */
export interface Node {
  /** Open addressing by `foldedHash`; a power of two, never full. */
  readonly table: readonly (Entry | undefined)[];
  readonly mask: number;
  readonly folded: ReadonlyMap<string, Entry>;
}

export interface Shape {
  readonly root: Entry;
  readonly slots: number;
  /** What a scan begins with, one a slot. */
  readonly noFacts: readonly number[];
  readonly noTexts: readonly undefined[];
}

const UNDERSCORE = 0x5f;
const BACKSLASH = 0x5c;

/** Compiles the members of a document's object into a shape. */
export function compileShape(members: readonly Position[]): Shape {
  let slots = 1;
  const entryOf = (position: Position): Entry => {
    slots = Math.max(slots, position.slot + 1, (position.elements ?? 0) + 1);
    return {
      slot: position.slot,
      keep: position.keep === "text" ? KEEP_TEXT : position.keep === "raw" ? KEEP_RAW : KEEP_NONE,
      names: position.names,
      values: position.values ?? [],
      node: position.members === undefined ? undefined : nodeOf(position.members),
      element: position.elements === undefined ? undefined : element(position.elements),
    };
  };
  const nodeOf = (positions: readonly Position[]): Node => {
    const folded = new Map<string, Entry>();
    for (const position of positions) {
      const entry = entryOf(position);
      for (const name of position.names) folded.set(foldName(name), entry);
    }
    let size = 8;
    while (size < folded.size * 4) size *= 2;
    const table: (Entry | undefined)[] = Array.from({ length: size }, () => undefined);
    for (const [name, entry] of folded) {
      const bytes = Buffer.from(name, "latin1");
      let at = foldedHash(bytes, 0, bytes.length) & (size - 1);
      while (table[at] !== undefined && table[at] !== entry) at = (at + 1) & (size - 1);
      table[at] = entry;
    }
    return { table, mask: size - 1, folded };
  };
  const root = entryOf({ slot: 0, names: [], members });
  return {
    root,
    slots,
    noFacts: Array.from({ length: slots }, () => 0),
    noTexts: Array.from({ length: slots }, () => undefined),
  };
}

const element = (slot: number): Entry => ({
  slot,
  keep: KEEP_ELEMENT,
  names: [],
  values: [],
  node: undefined,
  element: undefined,
});

/**
 * A name without what lenient decoders ignore: case, underscores, compatibility forms (the long s and the Kelvin sign match
 * s and k in some), dots on i.
 */
export function foldName(name: string): string {
  return name.normalize("NFKC").toLowerCase().replaceAll("_", "").replaceAll("\u0307", "").replaceAll("\u0131", "i");
}

/** Hash of an ASCII name in folded form; -1 when the name must be decoded first (escapes, other than ASCII). */
export function foldedHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 7;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x80 || byte === BACKSLASH) return -1;
    if (byte !== UNDERSCORE) hash = (Math.imul(hash, 31) + (byte | 0x20)) & 0x3fffffff;
  }
  return hash;
}

/** Whether the bytes are exactly this text, which is of ASCII. */
export function isText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  const length = end - start;
  if (length !== text.length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
