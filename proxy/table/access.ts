// How operators are reached. In: files with the CA bundle and the token. Out: a session for each stream, with what the files hold then;
// both are replaced while the proxy runs, the token several times a day.
import { readFile } from "node:fs/promises";
import { isIP, type LookupFunction } from "node:net";
import type { Dispatcher } from "undici";
import type { Clock, Timer } from "./clock.ts";
import { Agent } from "./undici.ts";

/** Milliseconds between two looks at the token. Kubelets write a new one when a fifth of the old one's life is left. */
const LOOK_MS = 5000;

export interface Session {
  readonly dispatcher: Dispatcher;
  /** Of every request: they hold the token and must not be logged. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts when the file holds another token: a stream ends with the life of the token that opened it. */
  readonly renewed: AbortSignal;
  /** Cuts its connections. */
  close(): Promise<void>;
}

export type Opened = { readonly ok: true; readonly session: Session } | { readonly ok: false; readonly fault: string };

export interface Access {
  /**
   * @param address that connections go to, whatever a URL's name says; the name stays in the Host header, and is the one that the operator's
   *   certificate must have. By default the name is looked up for each connection.
   */
  open(address?: string): Promise<Opened>;
}

/** Without files: the system's CAs, and no token. The server's name is verified, TLS is 1.2 or newer. */
export function createAccess(deps: {
  readonly caFile?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly clock: Clock;
}): Access {
  const { caFile, tokenFile, clock } = deps;

  const open = async (address?: string): Promise<Session> => {
    const ca = caFile === undefined ? undefined : await readFile(caFile, "utf8");
    const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
    const dispatcher = new Agent({
      connect: {
        minVersion: "TLSv1.2",
        ...(ca === undefined ? {} : { ca }),
        ...(address === undefined ? {} : { lookup: always(address) }),
      },
    });
    const renewed = new AbortController();
    let closed = false;
    let timer: Timer | undefined;
    const look = async (file: string): Promise<void> => {
      // A file that cannot be read just now is not another token.
      const now = await readToken(file).catch(() => token);
      if (closed) return;
      if (now === token) wait(file);
      else renewed.abort();
    };
    const wait = (file: string): void => {
      timer = clock.setTimeout(() => void look(file), LOOK_MS);
    };
    if (tokenFile !== undefined) wait(tokenFile);
    return {
      dispatcher,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      renewed: renewed.signal,
      close: async () => {
        closed = true;
        timer?.cancel();
        await dispatcher.destroy();
      },
    };
  };

  return {
    open: async (address) => {
      try {
        return { ok: true, session: await open(address) };
      } catch (error) {
        return { ok: false, fault: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

function always(address: string): LookupFunction {
  const family = isIP(address);
  return (_name, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

/** Throws when it cannot be a token: what a header cannot carry would stand in the error of the request. */
async function readToken(file: string): Promise<string> {
  const token = (await readFile(file, "utf8")).trim();
  if (!/^[\w.~+/=-]+$/.test(token)) throw new Error(`${file} holds no token`);
  return token;
}
