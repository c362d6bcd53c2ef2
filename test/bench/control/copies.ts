// Many objects in little time: copies of one that the API server took and the operator judged, written into its etcd.
// In: an object as the API server gives it, and how each copy differs. Out: objects that nobody can tell from those that were applied.
import { randomUUID } from "node:crypto";
import { request } from "undici";
import type { ApiServer, KubeBody } from "../../harness/api-server.ts";

const CONCURRENCY = 16;

export interface Copy {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: Readonly<Record<string, unknown>>;
}

/** `resource`: as in a path, `a2aagents`. `copy(n)`: what makes number n another; the rest is the original's. */
export async function writeCopies(
  api: ApiServer,
  resource: string,
  original: KubeBody,
  range: { readonly from: number; readonly to: number },
  copy: (n: number) => Copy,
  tick: () => void,
): Promise<void> {
  const { resourceVersion: _, ...metadata } = original.metadata ?? {};
  // One revision for each object: what shares one with others is lost to those who watch.
  const put = async (n: number): Promise<void> => {
    const { name, spec, status } = copy(n);
    const object = {
      ...original,
      metadata: { ...metadata, name, uid: randomUUID() },
      spec: { ...original.spec, ...spec },
      status: { ...original.status, ...status },
    };
    const key = `/registry/parley.dev/${resource}/${metadata.namespace}/${name}`;
    const { statusCode, body } = await request(`${api.etcdUrl}/v3/kv/put`, {
      method: "POST",
      body: JSON.stringify({ key: base64(key), value: base64(`${JSON.stringify(object)}\n`) }),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`etcd: ${statusCode} ${text.slice(0, 500)}`);
    tick();
  };
  let next = range.from;
  const work = async (): Promise<void> => {
    for (let n = next++; n < range.to; n = next++) await put(n);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
