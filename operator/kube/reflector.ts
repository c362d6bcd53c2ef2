// Follows all objects of one kind: lists, then watches, for ever. In: the API server. Out: changes in the order in which the
// API server made them; a list replaces everything, so whoever consumes them converges whatever was missed before.
// The list is the beginning of a watch where the API server can do that: of a list in pages it may look at everything for each page.
import type { Clock, Timer } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import type { Kind, StoredObject } from "../objects.ts";
import { createBackoff } from "./backoff.ts";
import { causeOf } from "./cause.ts";
import { createFailureLog } from "./failure-log.ts";
import type { FailureLog } from "./failure-log.ts";
import type { KubeClient } from "./client.ts";
import { PAGES, readPages } from "./pages.ts";
import type { WatchError, WatchFailure } from "./pages.ts";
import { RESOURCES, collectionPath } from "./resources.ts";
import { sleep } from "./sleep.ts";
import { refusalOf } from "./refusal.ts";
import type { Turns } from "./turns.ts";
import { readEvent } from "./watch-event.ts";
import type { ObjectChange } from "./watch-event.ts";

export type KindChange =
  /** A list begins. If an earlier one did not end, what it brought is true all the same, but what it did not bring is not gone. */
  | { readonly type: "listing" }
  /** A piece of it. */
  | { readonly type: "listed"; readonly objects: readonly StoredObject[] }
  /** It is whole: what was not in it is gone. The first one means that the kind is synced. */
  | { readonly type: "replaced" }
  | ObjectChange;

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
  /** Give everything else that wants to run its turn; shared by all reflectors, so that no two pages are read in one. By default it has none. */
  readonly turns?: Turns;
  /** What came up to this resourceVersion was taken by the consumer, and nothing later; not said while a list is read. */
  readonly reached?: (version: string) => void;
  readonly observe: { listed(): void; failed(error: WatchError): void };
  readonly limits?: Partial<typeof LIMITS>;
}

const LIMITS = {
  ...PAGES,
  /** Seconds after which the API server is asked to end a watch; up to twice this, by chance. */
  watchSeconds: 240,
  /** Milliseconds without a line after which a watch is taken for dead: the API server sends a bookmark about once a minute. */
  silence: 90_000,
  backoffBase: 200,
  backoffCap: 30_000,
  /** So many failed watches in a row, and the list is read again. */
  failures: 5,
  /** Objects that are given at once while a watch begins with all of them. */
  piece: 100,
};

/** A watch that begins with all objects as they are now (KEP-3157); the API server marks where they end. */
const WITH_ALL = { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" };
/** What it answers when it cannot begin so: before 1.32, or when that is switched off. */
const CANNOT = 422;

type WatchEnd = { readonly clean: true } | ({ readonly clean: false } & WatchFailure);

/**
 * Yields for ever, until the signal aborts; never throws. Nothing is read ahead of the consumer but what the socket holds.
 */
export async function* reflect(deps: ReflectorDeps): AsyncGenerator<KindChange, void> {
  const { client, kind, namespace, clock, random, log, signal, observe, turns } = deps;
  const limits = { ...LIMITS, ...deps.limits };
  const path = collectionPath(kind, namespace);
  const { labelSelector } = RESOURCES[kind];
  const selector: Record<string, string> = labelSelector === undefined ? {} : { labelSelector };
  const backoff = createBackoff({ base: limits.backoffBase, cap: limits.backoffCap, random });
  const fields = { kind, ...(namespace === undefined ? {} : { namespace }) };
  /** Where the watch goes on; undefined: list first. */
  let version: string | undefined;
  /** Whether a watch can begin with all objects. */
  let streamsLists = true;
  let failures = 0;

  const failureLog = deps.failures ?? createFailureLog({ log, now: () => clock.elapsed() });
  const failed = ({ error, cause, status }: WatchFailure): void => {
    failures++;
    observe.failed(error);
    if (error === "expired" || failures % limits.failures === 0) version = undefined;
    failureLog.failed(kind, status, { ...fields, error, cause, failures });
  };

  const listed = (at: string, count: number): void => {
    version = at;
    observe.listed();
    failureLog.recovered(kind);
    log.debug({ ...fields, objects: count }, "objects listed");
  };

  while (!signal.aborted) {
    if (version === undefined) yield { type: "listing" };
    if (version === undefined && !streamsLists) {
      const pages = readPages({ client, kind, path, selector, signal, turns, limits });
      let count = 0;
      let page = await pages.next();
      for (; page.done !== true; page = await pages.next()) {
        count += page.value.length;
        yield { type: "listed", objects: page.value };
      }
      if (signal.aborted) return;
      if (!page.value.ok) {
        failed(page.value);
        await sleep(clock, backoff.next(), signal);
        continue;
      }
      listed(page.value.version, count);
      yield { type: "replaced" };
      deps.reached?.(page.value.version);
    }
    // One watch, to its end. The timer is the only judge of silence: a dead peer sends no reset.
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    signal.addEventListener("abort", stop, { once: true });
    let silent = false;
    let heardAt = clock.elapsed();
    // One timer for many lines: as long as they come it looks again later.
    const listen = (): Timer => {
      const left = heardAt + limits.silence - clock.elapsed();
      return clock.setTimeout(() => {
        silent = clock.elapsed() - heardAt >= limits.silence;
        if (silent) stop();
        else timer = listen();
      }, left);
    };
    let timer = listen();
    let end: WatchEnd = { clean: true };
    let count = 0;
    let piece: StoredObject[] = [];
    try {
      const answer = await client.stream(
        path,
        {
          ...selector,
          watch: "true",
          allowWatchBookmarks: "true",
          ...(version === undefined ? WITH_ALL : { resourceVersion: version }),
          timeoutSeconds: String(Math.round(limits.watchSeconds * (1 + random()))),
        },
        controller.signal,
      );
      if (answer.ok) {
        for await (const line of answer.lines) {
          // What came with one read of the socket may be many.
          if (turns?.isOver === true) await turns.next();
          heardAt = clock.elapsed();
          const event = readEvent(kind, line);
          if (event.type === "error") {
            end = { clean: false, error: event.error, cause: event.cause };
            break;
          }
          const { change } = event;
          if (version === undefined) {
            // Between what was there and the mark, events of just now may stand.
            if (change?.type === "upsert") piece.push(change.object);
            if (piece.length === limits.piece || (piece.length > 0 && change?.type !== "upsert")) {
              await turns?.next();
              count += piece.length;
              yield { type: "listed", objects: piece };
              piece = [];
            }
            if (change?.type === "delete") yield change;
            if (change !== undefined) continue;
            if (!event.endsList) {
              // An API server that does not know what it was asked for.
              streamsLists = false;
              break;
            }
            listed(event.version, count);
            yield { type: "replaced" };
          }
          ({ version } = event);
          failures = 0;
          backoff.reset();
          if (change !== undefined) yield change;
          deps.reached?.(version);
        }
        if (end.clean && version === undefined && streamsLists) {
          end = { clean: false, error: "connection", cause: "the watch ended before all objects were sent" };
        }
      } else if (version === undefined && answer.status === CANNOT) {
        streamsLists = false;
        continue;
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
