// Folders as they are on disk: what is read, what is passed over, what cannot be read, and what is spared.
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readFolder, readOneFile } from "./folder.ts";
import type { FolderText } from "./folder.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "parley-folder-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const now = (): number => Date.now();
const names = (folder: FolderText): string[] => folder.files.map(({ file }) => relative(root, file));
/** Long ago, so that an unchanged time stamp can be believed. */
const age = (file: string): Promise<void> => utimes(join(root, file), 1_000, 1_000);

test("reads YAML and JSON of the folder and those below, in the order of names", async () => {
  await mkdir(join(root, "m/deep"), { recursive: true });
  for (const name of ["z.yaml", "a.yml", "m/deep/x.json", "B.YAML"]) await writeFile(join(root, name), name);
  const folder = await readFolder(root, now);
  expect(names(folder)).toEqual(["B.YAML", "a.yml", "m/deep/x.json", "z.yaml"]);
  expect(folder.files.map(({ text }) => text)).toEqual(["B.YAML", "a.yml", "m/deep/x.json", "z.yaml"]);
  expect(folder.folders.map((each) => relative(root, each))).toEqual(["", "m", "m/deep"]);
});

test("passes over hidden files, copies of editors, other endings and linked folders; follows linked files", async () => {
  await mkdir(join(root, ".git"));
  await mkdir(join(root, "..data"));
  for (const name of [".git/x.yaml", ".#a.yaml", "a.yaml~", "a.yaml.swp", "notes.md", "..data/real.yaml"]) {
    await writeFile(join(root, name), "x");
  }
  await symlink("..data/real.yaml", join(root, "real.yaml"));
  await symlink(root, join(root, "loop"));
  expect(names(await readFolder(root, now))).toEqual(["real.yaml"]);
});

describe("what cannot be read", () => {
  test("a link to nothing is gone; a folder named like a file is a folder; a huge file is refused unread", async () => {
    await symlink("nowhere", join(root, "gone.yaml"));
    await mkdir(join(root, "folder.yaml"));
    await writeFile(join(root, "huge.yaml"), "");
    await truncate(join(root, "huge.yaml"), 17 * 1024 * 1024);
    const { files } = await readFolder(root, now);
    expect(files).toEqual([expect.objectContaining({ text: undefined, fault: "larger than 16 MiB" })]);
  });

  test("the folder itself throws with its code", async () => {
    await expect(readFolder(join(root, "no"), now)).rejects.toMatchObject({ code: "ENOENT" });
    await writeFile(join(root, "file"), "");
    await expect(readFolder(join(root, "file"), now)).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  test("one file by name says that it is not there", async () => {
    expect(await readOneFile(join(root, "no.txt"), now)).toMatchObject({
      text: undefined,
      fault: "there is no such file",
    });
    await writeFile(join(root, "any.txt"), "here");
    expect(await readOneFile(join(root, "any.txt"), now)).toMatchObject({ text: "here" });
  });
});

describe("a second reading", () => {
  test("spares what was not touched, and sees what was", async () => {
    await writeFile(join(root, "a.yaml"), "one");
    await writeFile(join(root, "b.yaml"), "one");
    await Promise.all([age("a.yaml"), age("b.yaml")]);
    const first = await readFolder(root, now);
    await writeFile(join(root, "b.yaml"), "two");
    const second = await readFolder(root, now, first);
    expect(second.files[0]).toBe(first.files[0]);
    expect(second.files[1]?.text).toBe("two");
  });

  test("reads again what changed so lately that its time stamp may lie", async () => {
    await writeFile(join(root, "a.yaml"), "one");
    const first = await readFolder(root, now);
    const second = await readFolder(root, now, first);
    expect(second.files[0]).not.toBe(first.files[0]);
    expect(second.files[0]?.text).toBe("one");
  });

  test("a file that was just emptied is left as it was until it stays empty", async () => {
    await writeFile(join(root, "a.yaml"), "one");
    const first = await readFolder(root, now);
    await truncate(join(root, "a.yaml"));
    const second = await readFolder(root, now, first);
    expect([second.settling, second.files[0]?.text]).toEqual([true, "one"]);
    const later = await readFolder(root, () => Date.now() + 10_000, second);
    expect([later.settling, later.files[0]?.text]).toEqual([false, ""]);
  });

  test("a file without permission is told, not dropped", async () => {
    await writeFile(join(root, "a.yaml"), "one");
    await chmod(join(root, "a.yaml"), 0);
    const { files } = await readFolder(root, now);
    // An administrator reads it all the same.
    const readable = process.getuid?.() === 0;
    expect(files[0]?.text).toBe(readable ? "one" : undefined);
    expect(files[0]?.fault).toBe(readable ? undefined : "cannot be read: EACCES");
  });
});
