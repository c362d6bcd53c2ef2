// One read of an agent's card over HTTP. In: where, with what headers, what was read before. Out: what the card says, or why not.
// No redirect is followed, since it could lead anywhere.
import type { Socket } from "node:net";
import { Client } from "undici";
import type { Clock } from "../../process/clock.ts";
import { AddressRefused, judgedConnector, plainConnector } from "./connector.ts";
import type { Resolve } from "./connector.ts";
import { mergeCards, parseCard } from "./parse-card.ts";
import type { ParsedCard } from "./parse-card.ts";
import type { CardTarget } from "./target.ts";

/** Bytes; above this it is no card. */
const MAX_CARD = 1024 * 1024;
/** Milliseconds for all that one read takes. */
export const READ_TIMEOUT_MS = 5000;

export interface ReadCard {
  readonly card: ParsedCard;
  readonly etag?: string;
  /** What saves the next read its bytes: by path and version. */
  readonly answers: Answers;
}

/** What was answered, by path and version asked for, as far as it had an entity tag. */
export type Answers = ReadonlyMap<string, { readonly etag: string; readonly card: ParsedCard }>;

export type CardRead =
  | ({ readonly ok: true } & ReadCard)
  | {
      readonly ok: false;
      readonly reason: "CardUnreachable" | "CardInvalid" | "UpstreamRefused";
      /** For people; of fixed parts, codes and numbers. */
      readonly why: string;
    };

export interface ReadDeps {
  readonly clock: Clock;
  readonly allowed: (address: string) => boolean;
  readonly resolve: Resolve;
  readonly signal: AbortSignal;
}

/** Agents answer another card to those who ask for 1.0: both are read, and what they say is put together. */
const VERSIONS = ["1.0", undefined] as const;

/** Reads the card at the first path that has one. Never rejects. */
export async function readCard(target: CardTarget, before: Answers, deps: ReadDeps): Promise<CardRead> {
  let last: Socket | undefined;
  const begun = (socket: Socket): void => void (last = socket);
  const client = new Client(target.origin, {
    connect: target.judged
      ? judgedConnector(deps.allowed, deps.resolve, begun)
      : plainConnector(serverName(target), begun),
    allowH2: false,
    maxResponseSize: MAX_CARD,
    // The timer below ends all of it.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  // Signals, of requests or of sockets, would cost as much memory as all else of a read.
  const stop = (): void => void client.destroy();
  let timedOut = false;
  const timer = deps.clock.setTimeout(() => {
    timedOut = true;
    stop();
  }, READ_TIMEOUT_MS);
  if (deps.signal.aborted) stop();
  deps.signal.addEventListener("abort", stop, { once: true });
  try {
    let first: CardRead = { ok: false, reason: "CardUnreachable", why: "it has none" };
    for (const path of target.paths) {
      const read = await readPath(client, target, path, before);
      if (read !== "absent") return read;
      first = { ok: false, reason: "CardUnreachable", why: `there is none at ${target.paths.join(" or ")}` };
    }
    return first;
  } catch (error) {
    return failureOf(error, timedOut);
  } finally {
    timer.cancel();
    deps.signal.removeEventListener("abort", stop);
    await client.destroy();
    last?.destroy();
  }
}

const serverName = ({ origin, host }: CardTarget): string | undefined =>
  origin.startsWith("https:") ? host : undefined;

/** Both versions at one path. Throws what the connection throws. */
async function readPath(
  client: Client,
  target: CardTarget,
  path: string,
  before: Answers,
): Promise<CardRead | "absent"> {
  const answers = new Map<string, { readonly etag: string; readonly card: ParsedCard }>();
  let found: ParsedCard | undefined;
  let foundEtag: string | undefined;
  let failure: CardRead | undefined;
  for (const version of VERSIONS) {
    const id = `${version ?? ""} ${path}`;
    const answer = await get(client, target, path, version, before.get(id));
    if (answer.state === "absent") continue;
    if (answer.state === "failed") {
      failure ??= answer.failure;
      continue;
    }
    const { card, etag } = answer;
    if (etag !== undefined) answers.set(id, { etag, card });
    foundEtag ??= etag;
    found = found === undefined ? card : mergeCards(found, card);
  }
  if (found !== undefined) {
    return { ok: true, card: found, ...(foundEtag === undefined ? {} : { etag: foundEtag }), answers };
  }
  return failure ?? "absent";
}

type Answer =
  | { readonly state: "found"; readonly card: ParsedCard; readonly etag: string | undefined }
  | { readonly state: "absent" }
  | { readonly state: "failed"; readonly failure: CardRead };

async function get(
  client: Client,
  target: CardTarget,
  path: string,
  version: string | undefined,
  before: { readonly etag: string; readonly card: ParsedCard } | undefined,
): Promise<Answer> {
  const { statusCode, headers, body } = await client.request({
    method: "GET",
    path,
    headers: {
      ...target.headers,
      ...(target.host === undefined ? {} : { host: target.host }),
      accept: "application/json",
      "accept-encoding": "identity",
      ...(version === undefined ? {} : { "a2a-version": version }),
      ...(before === undefined ? {} : { "if-none-match": before.etag }),
    },
  });
  const bytes = await body.bytes();
  if (statusCode === 304 && before !== undefined) return { state: "found", ...before };
  if (statusCode === 404 || statusCode === 405 || statusCode === 410) return { state: "absent" };
  if (statusCode !== 200) return { state: "failed", failure: unreachable(`it answered with status ${statusCode}`) };
  const parsed = parseCard(bytes, `${target.origin}${path}`);
  if (!parsed.ok) return { state: "failed", failure: { ok: false, reason: "CardInvalid", why: parsed.why } };
  return { state: "found", card: parsed.card, etag: entityTag(headers["etag"]) };
}

/** As RFC 9110, section 8.8.3, has it and a status can hold it; anything else is not kept. */
function entityTag(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" && /^(?:W\/)?"[\x21\x23-\x7e]{0,250}"$/.test(header) ? header : undefined;
}

const unreachable = (why: string): CardRead => ({ ok: false, reason: "CardUnreachable", why });

function failureOf(error: unknown, timedOut: boolean): CardRead {
  if (timedOut) return unreachable(`it took over ${READ_TIMEOUT_MS / 1000} s`);
  if (error instanceof AddressRefused) {
    const why = "its address may not be reached from here: it is loopback, link-local, private or of the cluster";
    return { ok: false, reason: "UpstreamRefused", why };
  }
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") {
    return { ok: false, reason: "CardInvalid", why: "it is larger than 1 MiB" };
  }
  // Other messages of errors may quote what the agent sent.
  return unreachable(WORDS[code] ?? `the connection failed${/^[A-Z_0-9]{1,64}$/.test(code) ? ` (${code})` : ""}`);
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was closed before an answer",
  ENOTFOUND: "its host name is not known",
  EAI_AGAIN: "its host name cannot be resolved at the moment",
  UND_ERR_CONNECT_TIMEOUT: "no connection was accepted in time",
  UND_ERR_SOCKET: "the connection was closed before an answer",
};
