// Keeps an eye on a folder. In: its path. Out: a call whenever its files are not what they were, with all of them read anew.
// Events only say when to look; what is true is always read in full, and now and then without an event.
import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import type { Clock } from "../process/clock.ts";
import { codeOf, readFolder } from "./folder.ts";
import type { FolderText } from "./folder.ts";

/** Milliseconds of quiet before a look, and the most that changes without a pause may put it off. */
const QUIET = 50;
const AT_MOST = 500;
/** Milliseconds between looks that no event asked for: file systems of networks send none. */
const EVERY = 2_000;

export interface FolderWatch {
  /** Looks now; resolves when what was seen is handed on. */
  look(): Promise<void>;
  close(): void;
}

/** `onGone` is called once when the folder itself cannot be read any more; `onRead` when it is there again, too. */
export function watchFolder(deps: {
  readonly root: string;
  readonly first: FolderText;
  readonly clock: Clock;
  readonly onRead: (folder: FolderText) => void;
  readonly onGone: (code: string) => void;
}): FolderWatch {
  const { root, clock, onRead, onGone } = deps;
  const watchers = new Map<string, FSWatcher>();
  let latest = deps.first;
  let gone = false;
  let closed = false;
  let since: number | undefined;
  let timer = clock.setTimeout(() => void look(), QUIET);
  let looking: Promise<void> = Promise.resolve();

  function wake(quiet: number): void {
    if (closed) return;
    since ??= clock.elapsed();
    timer.cancel();
    timer = clock.setTimeout(() => void look(), Math.max(0, Math.min(quiet, since + AT_MOST - clock.elapsed())));
  }

  function follow(folders: readonly string[]): void {
    const wanted = new Set(folders);
    for (const [folder, watcher] of watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of wanted) {
      if (watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: true }, () => wake(QUIET));
        // The folder went away, or nothing more can be watched: the looks without an event find what changes.
        watcher.on("error", () => {
          watcher.close();
          watchers.delete(folder);
        });
        watchers.set(folder, watcher);
      } catch {
        // Gone again, or the system's limit of watches is reached: see above.
      }
    }
  }

  async function lookOnce(): Promise<void> {
    if (closed) return;
    since = undefined;
    let next = EVERY;
    try {
      const read = await readFolder(root, () => clock.now(), latest);
      if (gone) follow([]);
      follow(read.folders);
      const changed = gone || !sameTexts(latest, read);
      latest = read;
      gone = false;
      if (read.settling) next = AT_MOST;
      if (changed && !closed) onRead(read);
    } catch (error) {
      follow([]);
      if (!gone && !closed) onGone(codeOf(error));
      gone = true;
    }
    if (closed || since !== undefined) return;
    timer.cancel();
    timer = clock.setTimeout(() => void look(), next);
  }

  function look(): Promise<void> {
    looking = looking.then(lookOnce);
    return looking;
  }

  follow(latest.folders);
  return {
    look,
    close() {
      closed = true;
      timer.cancel();
      follow([]);
    },
  };
}

function sameTexts(a: FolderText, b: FolderText): boolean {
  return (
    a.files.length === b.files.length &&
    a.files.every((each, index) => {
      const other = b.files[index];
      return other !== undefined && each.file === other.file && each.text === other.text && each.fault === other.fault;
    })
  );
}
