// A folder of manifests as it is now. In: its path, or paths of files and folders. Out: texts of its YAML files, and what cannot be read.
import { readFile, readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";

const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);
/** Larger than any manifest that means well. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Changes closer than this to the last reading may hide behind an unchanged time stamp. Milliseconds. */
const SETTLED = 2_000;

export interface FileText {
  readonly file: string;
  /** Undefined: it cannot be read; `fault` says why. */
  readonly text: string | undefined;
  readonly fault?: string;
  /** Tells whether the file was touched since. */
  readonly stamp: string;
  readonly readAt: number;
}

export interface FolderText {
  /** In the order of their names. */
  readonly files: readonly FileText[];
  /** The folder and those below it. */
  readonly folders: readonly string[];
  /** A file was just emptied: it is probably being written, and was left as it was. */
  readonly settling: boolean;
}

/**
 * Reads `.yaml`, `.yml` and `.json` files, folders below too; hidden ones are passed over, as are links to folders.
 * Throws when the folder itself cannot be read. `before` spares reading what did not change.
 */
export async function readFolder(root: string, now: () => number, before?: FolderText): Promise<FolderText> {
  const known = new Map(before?.files.map((each) => [each.file, each]));
  const folders: string[] = [];
  const names: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    folders.push(folder);
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        // A folder that went away meanwhile is gone, not at fault.
        await visit(path).catch((error: unknown) => {
          if (codeOf(error) !== "ENOENT") names.push(path);
        });
      } else if (EXTENSIONS.has(extname(entry.name).toLowerCase())) names.push(path);
    }
  };
  await visit(root);
  const files: FileText[] = [];
  let settling = false;
  for (const file of names) {
    const read = await readText(file, now, known.get(file));
    if (read === undefined) continue;
    settling ||= read.settling;
    files.push(read.text);
  }
  return { files, folders, settling };
}

/** One file by name, whatever its extension. */
export async function readOneFile(file: string, now: () => number): Promise<FileText> {
  const read = await readText(file, now, undefined);
  return read?.text ?? { file, text: undefined, fault: "there is no such file", stamp: "", readAt: now() };
}

async function readText(
  file: string,
  now: () => number,
  known: FileText | undefined,
): Promise<{ readonly text: FileText; readonly settling: boolean } | undefined> {
  let stamp = "";
  try {
    const { ino, size, mtimeNs, ctimeNs, mtimeMs } = await stat(file, { bigint: true });
    stamp = `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
    if (known?.stamp === stamp && known.readAt - Number(mtimeMs) > SETTLED) return { text: known, settling: false };
    if (size > MAX_BYTES) return { text: unreadable("larger than 16 MiB"), settling: false };
    const text = await readFile(file, "utf8");
    // Many editors empty a file before they write it: an empty one is believed when it stays so.
    if (text === "" && known?.text !== undefined && known.text !== "" && now() - Number(mtimeMs) < SETTLED) {
      return { text: known, settling: true };
    }
    return { text: { file, text, stamp, readAt: now() }, settling: false };
  } catch (error) {
    const code = codeOf(error);
    return code === "ENOENT" ? undefined : { text: unreadable(`cannot be read: ${code}`), settling: false };
  }

  function unreadable(fault: string): FileText {
    return { file, text: undefined, fault, stamp, readAt: now() };
  }
}

/** `ENOENT` and its like; "unknown error" for what is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error";
}
