// What the images are: small, without privileges, the same from each build.
import { beforeAll, describe, expect, test } from "vitest";
import { createBuilder, IMAGES } from "./images.ts";

const builder = createBuilder((line) => console.log(line));

interface Inspected {
  readonly OCIv1: {
    readonly config: {
      readonly User: string;
      readonly Entrypoint: readonly string[];
      readonly Labels: Readonly<Record<string, string>>;
    };
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
}

const inspect = async (name: string): Promise<Inspected["OCIv1"]> =>
  (JSON.parse(await builder.buildah(["inspect", "--type=image", name])) as Inspected).OCIv1;

describe.each([
  ["parley-operator", "Dockerfile.operator", IMAGES.operator],
  ["parley-proxy", "Dockerfile.proxy", IMAGES.proxy],
] as const)("%s", (command, file, name) => {
  beforeAll(async () => {
    await builder.build(file, name);
  });

  test("is under 300 MB, runs as 65532 without a shell, and says what it is", async () => {
    const { config } = await inspect(name);
    expect(config.User).toBe("65532:65532");
    expect(config.Entrypoint[0]).toBe("node");
    expect(config.Labels).toMatchObject({
      "org.opencontainers.image.title": command,
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.version": name.split(":")[1],
    });
    const size = await builder.buildah(["images", "--json", "--filter", `reference=${name}`]);
    const [image] = JSON.parse(size) as [{ size: string }];
    expect(Number.parseFloat(image.size)).toBeLessThan(300);
    expect(image.size).toMatch(/ MB$/);
  });

  test("has the same layers when it is built again from nothing", async () => {
    const again = `${name}-again`;
    await builder.build(file, again, { fresh: true });
    expect((await inspect(again)).rootfs.diff_ids).toEqual((await inspect(name)).rootfs.diff_ids);
  });
});
