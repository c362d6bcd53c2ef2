// The objects that came last, first in, first out. In: objects with the texts they are kept as. Out: the same objects, for whoever asks next.
// Not a Map: each time one that is old grows or shrinks it leaves behind a table that keeps all it had until the next full garbage collection.
import type { Ref, StoredObject } from "./objects.ts";

const RECENT = 16;

export interface Recent {
  /** Undefined: it is not among them, or not as this text. */
  get(ref: Ref, text: string): StoredObject | undefined;
  set(ref: Ref, text: string, object: StoredObject): void;
}

export function createRecent(): Recent {
  const refs: Ref[] = [];
  const texts: string[] = [];
  const objects: StoredObject[] = [];
  let next = 0;
  return {
    get(ref, text) {
      const at = refs.indexOf(ref);
      return at !== -1 && texts[at] === text ? objects[at] : undefined;
    },
    set(ref, text, object) {
      let at = refs.indexOf(ref);
      if (at === -1) {
        at = next;
        next = (next + 1) % RECENT;
      }
      refs[at] = ref;
      texts[at] = text;
      objects[at] = object;
    },
  };
}
