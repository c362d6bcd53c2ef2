// Values as JSON has them, each as its shape, of which there are few, and what is in it. In: a value. Out: a list of the number of its shape
// and its texts and numbers, and from that the value again.

import { createNumbered } from "./numbered.ts";

export interface Shapes {
  /** Members that are undefined are left out. */
  split(value: Json): Split;
  join(split: Split): Json;
}

/** The number of a shape, and the texts and numbers of a value in order; a value by itself where its shape has no number. */
export type Split = readonly [shape: number, ...leaves: (string | number)[]] | readonly [value: { readonly is: Json }];
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json | undefined };

const MOST = 4096;

/** Puts a value together from what `next` gives. */
type Build = (next: () => Json) => Json;

export function createShapes(): Shapes {
  const builds = createNumbered(MOST, (shape) => buildOf(JSON.parse(shape) as Json));
  return {
    split(value) {
      const leaves: (string | number)[] = [];
      const number = builds.numberOf(shapeOf(value, leaves));
      return number === undefined ? [{ is: value }] : [number, ...leaves];
    },
    join(split) {
      const [shape] = split;
      if (typeof shape !== "number") return shape.is;
      let at = 0;
      // A list comes from `split` alone.
      return builds.valueOf(shape)(() => split[(at += 1)] as string | number);
    },
  };
}

/** JSON of the value, with 0 for each text and number, which are put into `leaves`. */
function shapeOf(value: Json, leaves: (string | number)[]): string {
  if (typeof value === "string" || typeof value === "number") {
    leaves.push(value);
    return "0";
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map((item) => shapeOf(item, leaves)).join(",")}]`;
  let shape = "";
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member !== undefined) shape += `${shape === "" ? "" : ","}${JSON.stringify(name)}:${shapeOf(member, leaves)}`;
  }
  return `{${shape}}`;
}

function buildOf(shape: Json): Build {
  if (shape === 0) return (next) => next();
  if (shape === null || typeof shape !== "object") return () => shape;
  if (isList(shape)) {
    const items = shape.map(buildOf);
    return (next) => items.map((build) => build(next));
  }
  const members = Object.entries(shape).map(([name, member]) => ({ name, build: buildOf(member ?? null) }));
  // To assign that one would give the object another prototype.
  if (Object.hasOwn(shape, "__proto__")) {
    return (next) => Object.fromEntries(members.map(({ name, build }) => [name, build(next)]));
  }
  return (next) => {
    const made: Record<string, Json> = {};
    for (const { name, build } of members) made[name] = build(next);
    return made;
  };
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);
