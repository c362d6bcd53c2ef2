// A Secret or ConfigMap that operators share. In: its name. Out: its data as text, written only over what was read.
import type { KubeClient } from "./client.ts";
import { refusalOf } from "./refusal.ts";

export interface Content {
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Stored extends Content {
  readonly resourceVersion: string;
}

export interface Document {
  /** Undefined: there is none. Throws when the API server does not say. */
  read(): Promise<Stored | undefined>;
  /**
   * Creates it (`over` undefined), or replaces the data and these annotations of what was read. False: somebody else wrote in
   * between. Throws when it cannot be written.
   */
  write(content: Content, over: Stored | undefined): Promise<boolean>;
}

interface RawDocument {
  readonly metadata: { readonly resourceVersion: string; readonly annotations?: Record<string, string> };
  readonly data?: Record<string, string>;
}

export function createDocument(deps: {
  readonly client: Pick<KubeClient, "request">;
  readonly kind: "Secret" | "ConfigMap";
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}): Document {
  const { client, kind, namespace, name, labels, signal } = deps;
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind === "Secret" ? "secrets" : "configmaps"}`;
  const path = `${collection}/${encodeURIComponent(name)}`;
  const recode = (data: Readonly<Record<string, string>>, from: BufferEncoding, to: BufferEncoding) =>
    Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, from).toString(to)]));
  const refused = (what: string, status: number, body: unknown): Error => {
    const { reason, message } = refusalOf(status, body);
    return new Error(`the API server refused to ${what} ${kind} ${namespace}/${name}: ${reason} ${message}`);
  };

  return {
    read: async () => {
      const { status, body } = await client.request({ method: "GET", path, signal });
      if (status === 404) return undefined;
      if (status !== 200) throw refused("read", status, body);
      const { metadata, data = {} } = body as RawDocument;
      return {
        data: kind === "Secret" ? recode(data, "base64", "utf8") : data,
        annotations: metadata.annotations ?? {},
        resourceVersion: metadata.resourceVersion,
      };
    },
    write: async (content, over) => {
      const data = kind === "Secret" ? recode(content.data, "utf8", "base64") : content.data;
      const made = { apiVersion: "v1", kind, data };
      const { annotations } = content;
      const { status, body } =
        over === undefined
          ? await client.request({
              method: "POST",
              path: collection,
              body: { ...made, metadata: { name, labels, annotations } },
              signal,
            })
          : await client.request({
              method: "PATCH",
              path,
              contentType: "application/merge-patch+json",
              body: {
                data: { ...Object.fromEntries(Object.keys(over.data).map((key) => [key, null])), ...data },
                metadata: { resourceVersion: over.resourceVersion, annotations },
              },
              signal,
            });
      if (status === 200 || status === 201) return true;
      // 404: it went.
      if (status === 409 || (over !== undefined && status === 404)) return false;
      throw refused(over === undefined ? "create" : "write", status, body);
    },
  };
}
