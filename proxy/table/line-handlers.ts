// What a line of a stream is for. In: a line as text, in whatever role the stream is. Out: a call of what handles lines of its type.
import type { StreamLine } from "./contract.ts";
import { decodeLine, isUnknownLine } from "./encode.ts";

export type Line<T extends StreamLine["type"]> = Extract<StreamLine, { readonly type: T }>;

/** `S`: what a line led to. */
export interface LineHandlers<S> {
  /** What a line of a later release leads to: nothing. */
  readonly none: S;
  fault(reason: "Malformed" | "FirstLineNotHello"): S;
  hello(line: Line<"HELLO">): S;
  begin(line: Line<"BATCH">): S;
  change(line: Line<"PUT"> | Line<"REMOVE">, text: string): S;
  commit(line: Line<"COMMIT">): S;
  heartbeat(line: Line<"HEARTBEAT">): S;
}

/** Never throws but what a handler throws. `greeted`: HELLO was there, which no line may come before. */
export function handleLine<S>(text: string, greeted: boolean, handlers: LineHandlers<S>): S {
  const line = decodeLine(text);
  if (line === undefined) return isUnknownLine(text) && greeted ? handlers.none : handlers.fault("Malformed");
  if (!greeted && line.type !== "HELLO") return handlers.fault("FirstLineNotHello");
  switch (line.type) {
    case "HELLO":
      return handlers.hello(line);
    case "BATCH":
      return handlers.begin(line);
    case "PUT":
    case "REMOVE":
      return handlers.change(line, text);
    case "COMMIT":
      return handlers.commit(line);
    case "HEARTBEAT":
      return handlers.heartbeat(line);
  }
}
