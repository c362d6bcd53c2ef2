// Lists of the API server, page by page. In: a path and a query. Out: all items, and why there may be more.
import type { KubeClient } from "../operator/kube/client.ts";
import { refusalOf } from "../operator/kube/refusal.ts";

/** Objects of a page. */
const PAGE = 500;

/** `fault`: a page was refused; items are those before it. */
export async function listAll(
  client: Pick<KubeClient, "request">,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<{ readonly items: readonly unknown[]; readonly fault: string | undefined }> {
  const found: unknown[] = [];
  let next: string | undefined;
  do {
    const page = { ...query, limit: String(PAGE), ...(next === undefined ? {} : { continue: next }) };
    const { status, body } = await client.request({ method: "GET", path, query: page });
    if (status !== 200) return { items: found, fault: refusalOf(status, body).message || answered(status) };
    const { items = [], metadata } = body as { items?: unknown[]; metadata?: { continue?: string } };
    found.push(...items);
    next = metadata?.continue === "" ? undefined : metadata?.continue;
  } while (next !== undefined);
  return { items: found, fault: undefined };
}

/** An API server knows no kind before its CRD, and says no more than 404. */
function answered(status: number): string {
  if (status !== 404) return `the API server answered ${status}`;
  return "their CRD is not installed: apply crds/a2aagents.yaml and crds/virtualkeys.yaml, or install the chart";
}
