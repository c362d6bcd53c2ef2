// The cluster's API server over HTTP, for what is asked often: a request costs no process. In: how to reach it. Out: JSON of answers.
import { Agent, request } from "undici";

export interface ClusterApi {
  /** JSON of the answer. @throws Error with status and words when it is not 2xx, or nobody answers */
  get(path: string): Promise<unknown>;
  /** Text of the answer. @throws as `get` does */
  text(path: string): Promise<string>;
  /** Server-side apply of one object at its path. @throws as `get` does */
  apply(path: string, object: object): Promise<unknown>;
}

/** @param connect where its socket is, or what TLS needs; `origin`: its address */
export function createClusterApi(
  origin: string,
  connect: { readonly socketPath: string } | { readonly ca: string; readonly cert: string; readonly key: string },
): ClusterApi {
  const dispatcher = new Agent({ connect, headersTimeout: 30_000, bodyTimeout: 30_000 });
  const ask = async (method: "GET" | "PATCH", path: string, body?: object): Promise<string> => {
    const answer = await request(`${origin}${path}`, {
      method,
      dispatcher,
      headers: { accept: "application/json", "content-type": "application/apply-patch+yaml" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 1_000)}`);
    return text;
  };
  return {
    text: (path) => ask("GET", path),
    get: async (path) => JSON.parse(await ask("GET", path)) as unknown,
    apply: async (path, object) =>
      JSON.parse(await ask("PATCH", `${path}?fieldManager=test&force=true`, object)) as unknown,
  };
}
