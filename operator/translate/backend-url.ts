// The URL of a backend outside the namespace. In: what the spec says. Out: the URL that is published, or why it cannot be.

export type BackendUrl = { readonly ok: true; readonly url: string } | { readonly ok: false; readonly why: string };

/** No trailing slash, no credentials, no query, no fragment; the schema has asked for all of it, old objects may not have heard. */
export function parseBackendUrl(text: string): BackendUrl {
  const url = URL.parse(text);
  if (url === null) return { ok: false, why: "url is not an absolute URL" };
  if (url.protocol !== "http:" && url.protocol !== "https:") return { ok: false, why: "url must be http or https" };
  if (url.username !== "" || url.password !== "") {
    return { ok: false, why: "url holds a user or password; use credentials instead" };
  }
  if (url.search !== "" || url.hash !== "") return { ok: false, why: "url must have no query and no fragment" };
  if (/(?:^|\.)(?:svc|(?:svc\.)?cluster\.local)\.?$/.test(url.hostname)) {
    return { ok: false, why: "url names a Service of the cluster; use service instead" };
  }
  return { ok: true, url: `${url.origin}${withoutTrailingSlashes(url.pathname)}` };
}

/** Cuts slashes from the end, in time linear in the path: a regular expression takes its square on what an agent may send. */
export function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}

/** A base path: "/" at least, else without a slash at its end. */
export function basePath(path: string | undefined): string {
  const base = withoutTrailingSlashes(path ?? "/");
  return base === "" ? "/" : base;
}
