// Where the caller of an npm script stands. In: the environment. Out: the working folder is the caller's, as npm changes it to the
// project's.

/** The folder in which `npm run parley` was typed; undefined: npm does not run this project's script. */
export function callersFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const ours = env["npm_lifecycle_event"] === "parley" && env["npm_package_name"] === "parley";
  return ours ? env["INIT_CWD"] : undefined;
}

/** Makes relative paths mean what the caller meant. */
export function enterCallersFolder(env: Readonly<Record<string, string | undefined>>): void {
  const folder = callersFolder(env);
  if (folder !== undefined && folder !== process.cwd()) process.chdir(folder);
}
