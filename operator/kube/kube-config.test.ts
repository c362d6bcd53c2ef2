import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadKubeConfig } from "./kube-config.ts";

const config = (name: string, server: string): string =>
  JSON.stringify({
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: { token: "secret-token" } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });

describe("loadKubeConfig", () => {
  let folder = "";
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "parley-kubeconfig-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("takes the option before the variable, and of several files in the variable the first context", () => {
    const [a, b] = [file("a", config("a", "https://a.example:6443")), file("b", config("b", "https://b.example"))];
    const server = (source: Parameters<typeof loadKubeConfig>[0]): string | undefined => {
      const loaded = loadKubeConfig(source);
      return loaded.ok ? loaded.config.getCurrentCluster()?.server : loaded.fault;
    };
    expect(server({ kubeconfig: a, variable: b, inCluster: true })).toBe("https://a.example:6443");
    expect(server({ variable: `${b}:${a}`, inCluster: false })).toBe("https://b.example");
  });

  it("takes the home folder's file last, and only where a home is given", () => {
    const home = join(folder, "home");
    const server = (source: Parameters<typeof loadKubeConfig>[0]): string | undefined => {
      const loaded = loadKubeConfig(source);
      return loaded.ok ? loaded.config.getCurrentCluster()?.server : loaded.fault;
    };
    expect(server({ home, inCluster: false })).toContain("there is no ~/.kube/config");
    mkdirSync(join(home, ".kube"), { recursive: true });
    file("home/.kube/config", config("h", "https://home.example"));
    expect(server({ home, inCluster: false })).toBe("https://home.example");
    expect(server({ home, variable: file("v", config("v", "https://v.example")), inCluster: false })).toBe(
      "https://v.example",
    );
    expect(server({ inCluster: false })).toContain("no API server");
  });

  it.each([
    ["an open quote", 'users:\n- user:\n    token: "secret-token\n', "line 4 is not valid YAML"],
    ["a value that goes on", "users:\n- user:\n    token: secret-token: more\n", "line 3 is not valid YAML"],
    ["an alias", "users:\n- user:\n    token: *secret-token\n", "line 3 is not valid YAML"],
    ["a tag", "users:\n- user:\n    token: !secret-token x\n", "line 3 is not valid YAML"],
    ["text alone", "secret-token", "names no cluster"],
    ["text for a list", "users: secret-token", "names no cluster"],
  ])("shows no word of a file that cannot be read: %s", (_, text, expected) => {
    const loaded = loadKubeConfig({ kubeconfig: file("torn", text), inCluster: false });
    expect(loaded).toMatchObject({ ok: false, fault: expect.stringContaining(expected) });
    expect(JSON.stringify(loaded)).not.toContain("secret-token");
  });

  it("names the one of several files that cannot be read", () => {
    const [good, missing] = [file("good", config("g", "https://g.example")), join(folder, "missing")];
    expect(loadKubeConfig({ variable: `${good}:${missing}`, inCluster: false })).toEqual({
      ok: false,
      fault: `kubeconfig ${missing} cannot be read: there is no such file; name another with --kubeconfig or KUBECONFIG`,
    });
  });

  it.each([
    ["nothing at all", undefined, "no API server"],
    [
      "a file that is not there",
      "missing",
      "missing cannot be read: there is no such file; name another with --kubeconfig",
    ],
    ["a folder", "", " cannot be read: it is a folder; name the file in it with --kubeconfig"],
    ["a file that is no YAML", "broken", "cannot be read"],
    ["a context without a cluster", "empty", "names no cluster"],
    ["a server that is no URL", "no-url", "names no cluster"],
  ])("says what is wrong with %s, and shows no token", (_, name, expected) => {
    file("broken", "clusters: [");
    file("empty", "{}");
    file("no-url", config("x", "somewhere"));
    const loaded = loadKubeConfig({
      kubeconfig: name === undefined ? undefined : join(folder, name),
      inCluster: false,
    });
    expect(loaded).toMatchObject({ ok: false, fault: expect.stringContaining(expected) });
    expect(JSON.stringify(loaded)).not.toContain("secret-token");
  });

  it("names a file of the current context that cannot be read, from where the kubeconfig stands", () => {
    file("ca.pem", "a certificate");
    mkdirSync(join(folder, "key.pem"));
    const withFiles = (cluster: object, user: object): string => {
      const { contexts, ...rest } = JSON.parse(config("x", "https://x.example")) as Record<string, unknown>;
      const server = "https://x.example";
      const entries = { clusters: [{ name: "x", cluster: { server, ...cluster } }], users: [{ name: "x", user }] };
      const loaded = loadKubeConfig({
        kubeconfig: file("files", JSON.stringify({ ...rest, contexts, ...entries })),
        inCluster: false,
      });
      return loaded.ok ? "good" : loaded.fault;
    };
    const ca = { "certificate-authority": "ca.pem" };
    expect(withFiles(ca, {})).toBe("good");
    expect(withFiles({ "certificate-authority": "gone.pem" }, {})).toBe(
      `kubeconfig ${join(folder, "files")}: its certificate-authority ${join(folder, "gone.pem")} cannot be read: there is no such file`,
    );
    expect(withFiles(ca, { "client-certificate": "gone.pem" })).toContain("its client-certificate ");
    expect(withFiles(ca, { "client-key": "key.pem" })).toMatch(/: its client-key cannot be read: it is a folder$/);
    expect(withFiles(ca, { "client-key": "secret".repeat(1000) })).toMatch(
      /: its client-key cannot be read: it is no path$/,
    );
  });

  it("takes no context whose user is not there: client-node would leave out the cluster's CA as well", () => {
    const text = config("x", "https://x.example").replace('"users":[{"name":"x"', '"users":[{"name":"y"');
    expect(loadKubeConfig({ kubeconfig: file("no-user", text), inCluster: false })).toEqual({
      ok: false,
      fault: `kubeconfig ${join(folder, "no-user")}: the current context names no user that is there`,
    });
  });
});
