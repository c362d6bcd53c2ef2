// Follows all objects of one kind: lists, then watches, for ever. In: the API server. Out: changes in the order in which the
// API server made them; a list replaces everything, so whoever consumes them converges whatever was missed before.
import type { Clock } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import type { Kind, StoredObject } from "../objects.ts";
import { createBackoff } from "./backoff.ts";
import { createFailureLog } from "./failure-log.ts";
import type { FailureLog } from "./failure-log.ts";
import type { KubeClient } from "./client.ts";
import { isRawObject, reduce } from "./reduce.ts";
import type { RawObject } from "./reduce.ts";
import { RESOURCES, collectionPath } from "./resources.ts";
import { sleep } from "./sleep.ts";
import { refusalOf } from "./refusal.ts";

export type KindChange =
  /** A whole list: what is not in it is gone. The first one means that the kind is synced. */
  | { readonly type: "replaced"; readonly objects: readonly StoredObject[] }
  | { readonly type: "upsert"; readonly object: StoredObject }
  | { readonly type: "delete"; readonly namespace: string; readonly name: string };

/** Why a watch ended early; a label value of a metric. */
export type WatchError = "connection" | "expired" | "refused" | "silence" | "malformed";

export interface ReflectorDeps {
  readonly client: KubeClient;
  readonly kind: Kind;
  /** Undefined: all namespaces. */
  readonly namespace?: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Shared by all reflectors, so that what concerns them all is told once; absent: this one's own. */
  readonly failures?: FailureLog;
  readonly signal: AbortSignal;
  readonly observe: { listed(): void; failed(error: WatchError): void };
  readonly limits?: Partial<typeof LIMITS>;
}

const LIMITS = {
  /** Objects on a page of a list. */
  page: 500,
  /** Seconds after which the API server is asked to end a watch; up to twice this, by chance. */
  watchSeconds: 240,
  /** Milliseconds without a line after which a watch is taken for dead: the API server sends a bookmark about once a minute. */
  silence: 90_000,
  backoffBase: 200,
  backoffCap: 30_000,
  /** So many failed watches in a row, and the list is read again. */
  failures: 5,
};

interface WatchFailure {
  readonly error: WatchError;
  readonly cause: string;
  /** HTTP status, where the request itself was refused. */
  readonly status?: number;
}

type WatchEnd = { readonly clean: true } | ({ readonly clean: false } & WatchFailure);

/**
 * Yields for ever, until the signal aborts; never throws. Nothing is read ahead of the consumer but what the socket holds.
 */
export async function* reflect(deps: ReflectorDeps): AsyncGenerator<KindChange, void> {
  const { client, kind, namespace, clock, random, log, signal, observe } = deps;
  const limits = { ...LIMITS, ...deps.limits };
  const path = collectionPath(kind, namespace);
  const { labelSelector } = RESOURCES[kind];
  const selector: Record<string, string> = labelSelector === undefined ? {} : { labelSelector };
  const backoff = createBackoff({ base: limits.backoffBase, cap: limits.backoffCap, random });
  const fields = { kind, ...(namespace === undefined ? {} : { namespace }) };
  /** Where the watch goes on; undefined: list first. */
  let version: string | undefined;
  let failures = 0;

  const failureLog = deps.failures ?? createFailureLog({ log, now: () => clock.elapsed() });
  const failed = ({ error, cause, status }: WatchFailure): void => {
    failures++;
    observe.failed(error);
    if (error === "expired" || failures % limits.failures === 0) version = undefined;
    failureLog.failed(kind, status, { ...fields, error, cause, failures });
  };

  while (!signal.aborted) {
    if (version === undefined) {
      const list = await listAll(deps, path, selector, limits.page);
      if (signal.aborted) return;
      if (!list.ok) {
        failed(list);
        await sleep(clock, backoff.next(), signal);
        continue;
      }
      ({ version } = list);
      observe.listed();
      failureLog.recovered(kind);
      log.debug({ ...fields, objects: list.objects.length }, "objects listed");
      yield { type: "replaced", objects: list.objects };
    }
    // One watch, to its end. The timer is the only judge of silence: a dead peer sends no reset.
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    signal.addEventListener("abort", stop, { once: true });
    let silent = false;
    const silence = (): void => {
      silent = true;
      stop();
    };
    let timer = clock.setTimeout(silence, limits.silence);
    let end: WatchEnd = { clean: true };
    try {
      const answer = await client.stream(
        path,
        {
          ...selector,
          watch: "true",
          allowWatchBookmarks: "true",
          resourceVersion: version,
          timeoutSeconds: String(Math.round(limits.watchSeconds * (1 + random()))),
        },
        controller.signal,
      );
      if (answer.ok) {
        for await (const line of answer.lines) {
          timer.cancel();
          timer = clock.setTimeout(silence, limits.silence);
          const event = readEvent(kind, line);
          if (event.type === "error") {
            end = { clean: false, error: event.error, cause: event.cause };
            break;
          }
          ({ version } = event);
          failures = 0;
          backoff.reset();
          if (event.change !== undefined) yield event.change;
        }
      } else {
        const refusal = refusalOf(answer.status, answer.body);
        end = {
          clean: false,
          error: refusal.code === 410 ? "expired" : "refused",
          cause: `${refusal.reason}: ${refusal.message}`,
          status: answer.status,
        };
      }
    } catch (error) {
      end = {
        clean: false,
        error: silent ? "silence" : "connection",
        cause: silent ? "no line in time" : causeOf(error),
      };
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", stop);
      controller.abort();
    }
    if (signal.aborted) return;
    if (!end.clean) failed(end);
    // A clean end comes with its time; a server that ends each watch at once is met by growing waits too.
    await sleep(clock, backoff.next(), signal);
  }
}

type List =
  | { readonly ok: true; readonly objects: readonly StoredObject[]; readonly version: string }
  | ({ readonly ok: false } & WatchFailure);

/** All pages, reduced page by page. A `continue` token that expired on the way is a failure: the caller lists again. */
async function listAll(
  { client, kind, signal }: ReflectorDeps,
  path: string,
  selector: Readonly<Record<string, string>>,
  limit: number,
): Promise<List> {
  const objects: StoredObject[] = [];
  let token = "";
  try {
    for (;;) {
      const answer = await client.request({
        method: "GET",
        path,
        query: { ...selector, limit: String(limit), ...(token === "" ? {} : { continue: token }) },
        signal,
      });
      if (answer.status !== 200) {
        const refusal = refusalOf(answer.status, answer.body);
        const error = answer.status === 410 ? "expired" : "refused";
        return { ok: false, error, cause: `${refusal.reason}: ${refusal.message}`, status: answer.status };
      }
      const page = readPage(answer.body);
      if (page === undefined) return { ok: false, error: "malformed", cause: "the list is not an object list" };
      for (const item of page.items) {
        const object = isRawObject(item) ? reduce(kind, item) : undefined;
        if (object !== undefined) objects.push(object);
      }
      token = page.token;
      if (token === "") return { ok: true, objects, version: page.version };
    }
  } catch (error) {
    return { ok: false, error: "connection", cause: causeOf(error) };
  }
}

function readPage(
  body: unknown,
): { readonly items: readonly unknown[]; readonly version: string; readonly token: string } | undefined {
  if (typeof body !== "object" || body === null || !("metadata" in body)) return undefined;
  const { metadata } = body;
  const items = "items" in body ? (body.items ?? []) : [];
  if (!Array.isArray(items) || typeof metadata !== "object" || metadata === null) return undefined;
  const { resourceVersion, continue: token } = metadata as { resourceVersion?: unknown; continue?: unknown };
  if (typeof resourceVersion !== "string" || resourceVersion === "") return undefined;
  return { items, version: resourceVersion, token: typeof token === "string" ? token : "" };
}

type WatchEvent =
  | { readonly type: "event"; readonly version: string; readonly change: KindChange | undefined }
  | { readonly type: "error"; readonly error: WatchError; readonly cause: string };

function readEvent(kind: Kind, line: string): WatchEvent {
  let parsed: { readonly type?: unknown; readonly object?: unknown } | null;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { type: "error", error: "malformed", cause: "a line of the watch is not JSON" };
  }
  const object = parsed?.object;
  if (parsed?.type === "ERROR") {
    const refusal = refusalOf(0, object);
    const expired = refusal.code === 410 || refusal.reason === "Expired" || refusal.reason === "Gone";
    return {
      type: "error",
      error: expired ? "expired" : "refused",
      cause: `${refusal.reason}: ${refusal.message}`,
    };
  }
  if (parsed?.type === "BOOKMARK") {
    const version = (object as { metadata?: { resourceVersion?: unknown } } | undefined)?.metadata?.resourceVersion;
    return typeof version === "string"
      ? { type: "event", version, change: undefined }
      : { type: "error", error: "malformed", cause: "a bookmark without a resourceVersion" };
  }
  if (!isRawObject(object)) return { type: "error", error: "malformed", cause: "an event without an object" };
  return { type: "event", version: object.metadata.resourceVersion, change: changeOf(kind, parsed?.type, object) };
}

function changeOf(kind: Kind, type: unknown, raw: RawObject): KindChange {
  const object = type === "DELETED" ? undefined : reduce(kind, raw);
  return object === undefined
    ? { type: "delete", namespace: raw.metadata.namespace ?? "", name: raw.metadata.name }
    : { type: "upsert", object };
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}
