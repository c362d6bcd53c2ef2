// Why a listener could not be opened, for people. In: the address, the option that sets it, the error of the system. Out: what to do.
import { formatListenAddress } from "./listen-address.ts";
import type { ListenAddress } from "./listen-address.ts";

/** One sentence with the address and the way out. */
export function listenFault(address: ListenAddress, flag: string, error: unknown): string {
  const code =
    error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error";
  const where = formatListenAddress(address);
  if (code === "EADDRINUSE") return `${where} is in use: end what listens there, or choose another with ${flag}`;
  if (code === "EACCES") return `${where} may not be used by this user: choose a port above 1023 with ${flag}`;
  if (code === "EADDRNOTAVAIL") return `${where} is no address of this machine: choose another with ${flag}`;
  return `cannot listen on ${where}: ${code}`;
}

/** Opens; what the system refuses becomes an error that says what to do. It carries the code, and no stack: it is no bug. */
export async function listenOrExplain<T>(address: ListenAddress, flag: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) throw error;
    const explained = Object.assign(new Error(listenFault(address, flag, error)), { code: error.code });
    explained.stack = explained.message;
    throw explained;
  }
}
