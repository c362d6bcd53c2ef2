// The images that the cluster tests run, built by buildah on a base made here. In: the working tree. Out: one archive for each image,
// in the cache; what has not changed is not built again.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { cacheFolder, goTools } from "../harness/go-tools.ts";
import { sh } from "./shell.ts";

const ROOT = join(import.meta.dirname, "../..");
const NPM = "11";

const VERSION = (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }).version;

/** Image names as charts and Dockerfiles have them, with the registry that stands for "made here". */
export const IMAGES = {
  operator: `localhost/parley-operator:${VERSION}`,
  proxy: `localhost/parley-proxy:${VERSION}`,
  workload: `localhost/parley-workload:${VERSION}`,
  pause: "localhost/pause:1",
} as const;

/** Dockerfile and name of each image that has one; the repository is the context of all. */
export const BUILDS = [
  ["Dockerfile.operator", IMAGES.operator],
  ["Dockerfile.proxy", IMAGES.proxy],
  ["test/cluster/images/Dockerfile.workload", IMAGES.workload],
] as const;

/** Builds the images by Docker, on the official Node image, for where kind and Docker are. @returns their names */
export async function buildByDocker(say: (line: string) => void): Promise<readonly string[]> {
  for (const [file, name] of BUILDS) {
    say(`Building ${name} by Docker.`);
    const args = [
      "build",
      "--quiet",
      `--build-arg=VERSION=${VERSION}`,
      "--file",
      join(ROOT, file),
      "--tag",
      name,
      ROOT,
    ];
    await sh("docker", args, { limit: 900_000 });
  }
  return BUILDS.map(([, name]) => name);
}

export interface Builder {
  /** Runs buildah on the storage of the tests. */
  buildah(args: readonly string[]): Promise<string>;
  /** Name of an image like the official Node image, made when it is not there (a minute). */
  base(): Promise<string>;
  /** Builds one of the Dockerfiles. @returns the image's id */
  build(
    file: string,
    name: string,
    options?: { readonly fresh?: boolean; readonly args?: Readonly<Record<string, string>> },
  ): Promise<string>;
  /** Builds every image. @returns archives to import, in the order of IMAGES */
  archives(): Promise<readonly string[]>;
}

/** @param say told of what takes long */
export function createBuilder(say: (line: string) => void): Builder {
  const folder = join(cacheFolder(), "images");
  mkdirSync(folder, { recursive: true });
  const storage = join(folder, "storage.conf");
  // Never half written: a buildah that was started elsewhere may be reading it.
  writeFileSync(
    `${storage}.${process.pid}`,
    `[storage]\ndriver = "overlay"\ngraphroot = "${join(folder, "root")}"\nrunroot = "/run/parley-images"\n`,
  );
  renameSync(`${storage}.${process.pid}`, storage);
  const env = { ...process.env, CONTAINERS_STORAGE_CONF: storage };
  const buildah = (args: readonly string[]): Promise<string> => sh("buildah", args, { env, limit: 900_000 });
  const exists = async (name: string): Promise<boolean> =>
    (await buildah(["images", "--quiet", "--filter", `reference=${name}`])).trim() !== "";

  async function base(): Promise<string> {
    const script = join(import.meta.dirname, "images/base.sh");
    const node = join(ROOT, "node_modules/node/bin/node");
    const digest = createHash("sha256").update(readFileSync(script)).update(readFileSync(node)).digest("hex");
    const name = `localhost/parley-test/node:${digest.slice(0, 12)}`;
    if (await exists(name)) return name;
    say("Making a base image from Debian packages and Node (once; a minute).");
    await sh("sh", [script, name, node, NPM], { env, limit: 900_000 });
    return name;
  }

  const build: Builder["build"] = async (file, name, { fresh = false, args = {} } = {}) => {
    const ignore = join(ROOT, `${file}.dockerignore`);
    const npmCache = join(homedir(), ".npm");
    mkdirSync(npmCache, { recursive: true });
    const id = await buildah([
      "build",
      "--quiet",
      "--isolation=chroot",
      "--network=host",
      "--pull-never",
      "--timestamp=0",
      ...(fresh ? ["--no-cache"] : ["--layers"]),
      // Packages come from npm's own cache where they can.
      `--volume=${npmCache}:/root/.npm`,
      `--build-arg=NODE_IMAGE=${await base()}`,
      `--build-arg=VERSION=${VERSION}`,
      ...Object.entries(args).map(([key, value]) => `--build-arg=${key}=${value}`),
      ...(existsSync(ignore) ? [`--ignorefile=${ignore}`] : []),
      `--file=${join(ROOT, file)}`,
      `--tag=${name}`,
      ROOT,
    ]);
    return id.trim().split("\n").at(-1) ?? "";
  };

  async function pause(): Promise<string> {
    const file = (await goTools(["pause"], say)).pause;
    const container = (await buildah(["from", "scratch"])).trim();
    await buildah(["copy", "--quiet", "--chmod=0755", container, file, "/pause"]);
    await buildah(["config", "--entrypoint", '["/pause"]', container]);
    return (await buildah(["commit", "--quiet", "--rm", "--timestamp=0", container, IMAGES.pause])).trim();
  }

  /** An archive is named by its image's id, so one that is there is the right one. */
  async function archive(name: string, id: string): Promise<string> {
    const kind = /([a-z-]+):[^:]*$/.exec(name)?.[1] ?? "image";
    const file = join(folder, `${kind}-${id.slice(0, 16)}.tar`);
    if (existsSync(file)) return file;
    for (const old of readdirSync(folder)) if (old.startsWith(`${kind}-`)) rmSync(join(folder, old));
    await buildah(["push", "--quiet", name, `docker-archive:${file}.new:${name}`]);
    renameSync(`${file}.new`, file);
    return file;
  }

  return {
    buildah,
    base,
    build,
    async archives() {
      say("Building images (a minute the first time, then seconds).");
      await base();
      return Promise.all([
        pause().then((id) => archive(IMAGES.pause, id)),
        ...BUILDS.map(async ([file, name]) => archive(name, await build(file, name))),
      ]);
    },
  };
}
