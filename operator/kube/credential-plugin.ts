// Programs that give credentials, as a kubeconfig's `exec` names them. In: what client-node threw when it ran one. Out: what to say of it.
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";

/** Runs `authenticate`, which may run the current user's plugin; faults of the plugin are thrown in words of whoever wrote the kubeconfig. */
export async function withPlugin<T>(config: KubeConfig, authenticate: () => Promise<T>): Promise<T> {
  try {
    return await authenticate();
  } catch (error) {
    const { command } = (config.getCurrentUser()?.exec ?? {}) as { readonly command?: string };
    throw command === undefined ? error : inWords(command, error);
  }
}

/** Without the error as its cause: a parser of JSON shows a piece of what it read, which may be a token. */
function inWords(command: string, error: unknown): unknown {
  const fault = faultOf(error);
  return fault === undefined ? error : new Error(`the credential plugin ${command} of the kubeconfig ${fault}`);
}

/** Undefined: it is not the plugin's. */
function faultOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall?.startsWith("spawn") === true) {
    return code === "ENOENT" ? "is not there: install it, or add its folder to PATH" : `cannot be run: ${code}`;
  }
  if (code !== undefined) return undefined;
  if (error instanceof SyntaxError || error instanceof TypeError) return "gave no ExecCredential";
  // What it said on standard error.
  const said = error.message.trim();
  return said === "" ? "failed and did not say why" : `failed: ${said}`;
}
