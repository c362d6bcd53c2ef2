// A stream as one record. In: the start of a stream of server-sent events. Out: one JSON text: a list of events, pieces of one artifact joined.

type Json = Readonly<Record<string, unknown>>;

/** The data of each event that is whole in the text (WHATWG HTML, server-sent events). */
export function eventData(text: string): string[] {
  const data: string[] = [];
  let lines: string[] = [];
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)) {
    if (line === "") {
      if (lines.length > 0) data.push(lines.join("\n"));
      lines = [];
    } else if (line === "data" || line.startsWith("data:")) lines.push(line.slice(5).replace(/^ /, ""));
  }
  return data;
}

/**
 * Folds a stream: agents send an answer in many pieces, and a reader of logs wants to read it as one text. Text parts that continue an
 * artifact join the one before; everything else stays in its order.
 *
 * @param redact is applied to each event, and to each text that was joined: what is secret may stand in two pieces
 */
export function foldStream(text: string, redact: (json: string) => string): string {
  const folded: unknown[] = [];
  const artifacts = new Map<unknown, { text: string }>();
  const joined = new Set<{ text: string }>();
  for (const data of eventData(text)) {
    const event = parse(redact(data));
    const piece = textPiece(event);
    const begun = piece === undefined ? undefined : artifacts.get(piece.artifactId);
    if (piece !== undefined && piece.append && begun !== undefined) {
      begun.text += piece.part.text;
      joined.add(begun);
      continue;
    }
    if (piece !== undefined) artifacts.set(piece.artifactId, piece.part);
    folded.push(event);
  }
  for (const part of joined) part.text = String(parse(redact(JSON.stringify(part.text))));
  return JSON.stringify(folded);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An artifact's only part, when it is a text: in both bindings and versions. */
function textPiece(
  event: unknown,
): { readonly artifactId: unknown; readonly append: boolean; readonly part: { text: string } } | undefined {
  const payload = payloadOf(event);
  const update = objectAt(payload, "artifactUpdate") ?? objectAt(payload, "artifact_update") ?? payload;
  const artifact = objectAt(update, "artifact");
  const parts = artifact?.["parts"];
  if (update === undefined || artifact === undefined || !Array.isArray(parts) || parts.length !== 1) return undefined;
  const [part] = parts as unknown[];
  if (!isObject(part) || typeof part["text"] !== "string") return undefined;
  const artifactId = artifact["artifactId"] ?? artifact["artifact_id"];
  return { artifactId, append: update["append"] === true, part: part as unknown as { text: string } };
}

/** The task, message or update that an answer or an event holds, without the envelope of its binding. */
export function payloadOf(answer: unknown): Json | undefined {
  return objectAt(answer, "result") ?? (isObject(answer) ? answer : undefined);
}

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function objectAt(value: unknown, name: string): Json | undefined {
  if (!isObject(value)) return undefined;
  const member = value[name];
  return isObject(member) ? member : undefined;
}
