// One list, page by page, reduced as it is read. In: the API server. Out: objects of one page after another; in the end its version,
// or why it could not be read to the end. Pages are as long as can be read without holding up anything else.
import type { Kind, StoredObject } from "../objects.ts";
import { causeOf } from "./cause.ts";
import { parseJson } from "./client.ts";
import type { KubeClient } from "./client.ts";
import { isRawObject, reduce } from "./reduce.ts";
import { refusalOf } from "./refusal.ts";
import type { Turns } from "./turns.ts";

/** Why a list or a watch ended early; a label value of a metric. */
export type WatchError = "connection" | "expired" | "refused" | "silence" | "malformed";

export interface WatchFailure {
  readonly error: WatchError;
  readonly cause: string;
  /** HTTP status, where the request itself was refused. */
  readonly status?: number;
}

export const PAGES = {
  /** Objects on the first page of a list. */
  page: 100,
  /** Objects on any page. */
  pageMost: 500,
  /** Characters that a page should have: what is read in a few milliseconds. */
  pageLength: 256 * 1024,
  /** Bytes of the longest page that is read at all. */
  pageBytes: 64 * 1024 * 1024,
};

export interface PagesDeps {
  readonly client: KubeClient;
  readonly kind: Kind;
  readonly path: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Gives everything else that wants to run its turn, before a page is parsed. */
  readonly turns?: Pick<Turns, "next"> | undefined;
  readonly limits: typeof PAGES;
}

export type ListEnd = { readonly ok: true; readonly version: string } | ({ readonly ok: false } & WatchFailure);

/** A `continue` token that expired on the way is a failure: the caller lists again. Never throws. */
export async function* readPages(deps: PagesDeps): AsyncGenerator<readonly StoredObject[], ListEnd> {
  const { client, kind, path, selector, signal, turns, limits } = deps;
  let limit = limits.page;
  let token = "";
  try {
    for (;;) {
      const query = { ...selector, limit: String(limit), ...(token === "" ? {} : { continue: token }) };
      const answer = await client.text({ method: "GET", path, query, signal, longest: limits.pageBytes });
      if (answer.text === undefined) {
        if (limit === 1) return { ok: false, error: "malformed", cause: "an object is longer than any can be" };
        limit = Math.ceil(limit / 4);
        continue;
      }
      await turns?.next();
      const body = parseJson(answer.text);
      if (answer.status !== 200) {
        const refusal = refusalOf(answer.status, body);
        const error = answer.status === 410 ? "expired" : "refused";
        return { ok: false, error, cause: `${refusal.reason}: ${refusal.message}`, status: answer.status };
      }
      const page = readPage(body);
      if (page === undefined) return { ok: false, error: "malformed", cause: "the list is not an object list" };
      const objects: StoredObject[] = [];
      for (const item of page.items) {
        const object = isRawObject(item) ? reduce(kind, item) : undefined;
        if (object !== undefined) objects.push(object);
      }
      yield objects;
      token = page.token;
      if (token === "") return { ok: true, version: page.version };
      limit = nextLimit(page.items.length, answer.text.length, limits);
    }
  } catch (error) {
    return { ok: false, error: "connection", cause: causeOf(error) };
  }
}

/** So many objects of the length of the last ones that the page is as long as it should be. */
function nextLimit(count: number, length: number, limits: typeof PAGES): number {
  const fit = Math.floor((limits.pageLength * Math.max(count, 1)) / Math.max(length, 1));
  return Math.min(Math.max(fit, 1), limits.pageMost);
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
