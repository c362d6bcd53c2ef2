// A real folder under a real watch. Every wait is for what the watch tells, never for a time to pass.
import { mkdir, mkdtemp, rename, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createClock } from "../process/clock.ts";
import type { Clock } from "../process/clock.ts";
import { readFolder } from "./folder.ts";
import { watchFolder } from "./watch-folder.ts";
import type { FolderWatch } from "./watch-folder.ts";

let root: string;
let watch: FolderWatch | undefined;
/** What was told, newest last: file names with texts, or `gone CODE`. */
let told: string[];
let wake: () => void;

async function begin(clock: Clock = createClock()): Promise<FolderWatch> {
  const first = await readFolder(root, () => Date.now());
  return watchFolder({
    root,
    first,
    clock,
    onRead(folder) {
      told.push(folder.files.map(({ file, text }) => `${basename(file)}=${text}`).join(" "));
      wake();
    },
    onGone(code) {
      told.push(`gone ${code}`);
      wake();
    },
  });
}

/** Resolves when the watch has told just this, now or later. */
async function hear(text: string): Promise<void> {
  while (told.at(-1) !== text) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), "parley-watch-")), "manifests");
  await mkdir(root);
  told = [];
  wake = () => undefined;
});
afterEach(async () => {
  watch?.close();
  watch = undefined;
  await rm(join(root, ".."), { recursive: true, force: true });
});

test("a new file, an edit in place and a removal are told", async () => {
  watch = await begin();
  await writeFile(join(root, "a.yaml"), "1");
  await hear("a.yaml=1");
  await writeFile(join(root, "a.yaml"), "2");
  await hear("a.yaml=2");
  await unlink(join(root, "a.yaml"));
  await hear("");
  expect(new Set(told)).toEqual(new Set(["a.yaml=1", "a.yaml=2", ""]));
});

test("an editor's rename over the file is told, again and again", async () => {
  await writeFile(join(root, "a.yaml"), "0");
  watch = await begin();
  for (const text of ["1", "2", "3"]) {
    await writeFile(join(root, ".a.yaml.tmp"), text);
    await rename(join(root, ".a.yaml.tmp"), join(root, "a.yaml"));
    await hear(`a.yaml=${text}`);
  }
  expect(told).toEqual(["a.yaml=1", "a.yaml=2", "a.yaml=3"]);
});

test("files of a new folder below are told, and their later edits", async () => {
  watch = await begin();
  await mkdir(join(root, "below"));
  await writeFile(join(root, "below/b.yaml"), "1");
  await hear("b.yaml=1");
  await writeFile(join(root, "below/b.yaml"), "2");
  await hear("b.yaml=2");
  await rm(join(root, "below"), { recursive: true });
  await hear("");
  expect(told).toContain("b.yaml=2");
});

test("a folder that goes away is told once, and again when it is back", async () => {
  await writeFile(join(root, "a.yaml"), "1");
  watch = await begin();
  await watch.look();
  await rename(root, `${root}-away`);
  await hear("gone ENOENT");
  await watch.look();
  expect(told).toEqual(["gone ENOENT"]);
  await rename(`${root}-away`, root);
  await watch.look();
  await hear("a.yaml=1");
  await writeFile(join(root, "a.yaml"), "2");
  await hear("a.yaml=2");
});

test("a look without a change tells nothing, and none comes after the end", async () => {
  await writeFile(join(root, "a.yaml"), "1");
  watch = await begin();
  await watch.look();
  await watch.look();
  watch.close();
  await writeFile(join(root, "a.yaml"), "2");
  await watch.look();
  expect(told).toEqual([]);
});

test("what no event tells is found by the looks that come by themselves", async () => {
  // A clock that runs what is due only when the test says so: no event can be what wakes it.
  const due: (() => void)[] = [];
  watch = await begin({
    now: () => Date.now(),
    elapsed: () => performance.now(),
    setTimeout(run) {
      due.push(run);
      return { cancel: () => due.splice(due.indexOf(run), due.includes(run) ? 1 : 0) };
    },
  });
  await writeFile(join(root, "a.yaml"), "1");
  due.shift()?.();
  await hear("a.yaml=1");
  expect(told).toEqual(["a.yaml=1"]);
});
