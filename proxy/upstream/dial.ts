// Sockets to agents. In: where to, in what time, which addresses are admitted. Out: a socket that is up, TLS included, or an error.
import { connect as connectTcp, isIP, Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Clock } from "../../process/clock.ts";
import { type AddressJudge, AddressRefused } from "./address.ts";

/** How long a connection is silent before the system asks whether the other side still lives; milliseconds. */
const PROBE_AFTER_MS = 60_000;
/** Octets that one read takes at most. */
const READ_SIZE = 64 * 1024;

/** Name, connection and TLS took longer than they may. */
export class ConnectTimeout extends Error {
  readonly code = "PARLEY_CONNECT_TIMEOUT";
  constructor() {
    super("no connection in time");
  }
}

/** Hears a socket: `up` once, then `octets`; at last `failed`, `ended` or both. */
export interface SocketListener {
  up(): void;
  /** The octets are only good during the call. */
  octets(bytes: Buffer, length: number): void;
  /** The other side will send nothing more. */
  ended(): void;
  failed(error: Error): void;
}

/** Starts to connect. The socket may be destroyed at any time; its listener hears nothing more then. */
export type Dial = (listener: SocketListener) => Socket;

export interface DialOptions {
  /** Scheme and authority. */
  readonly origin: string;
  /** TLS server name, with a port or without, when it is not the origin's. */
  readonly serverName: string | undefined;
  /** Milliseconds for name, connection and TLS together; 0: none. */
  readonly timeout: number;
  /** Which addresses may be reached; undefined: all. */
  readonly judge: AddressJudge | undefined;
  readonly clock: Pick<Clock, "setTimeout">;
}

/** One for all plain sockets: what is read is passed on before the next read. */
const shared = Buffer.allocUnsafeSlow(READ_SIZE);

/** Makes what connects to one place in one way. Certificates are verified, for the server name. */
export function createDial(options: DialOptions): Dial {
  const { timeout, judge, clock } = options;
  const { protocol, hostname, port } = new URL(options.origin);
  const isSecure = protocol === "https:";
  const host = withoutBrackets(hostname);
  const base = {
    host,
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: PROBE_AFTER_MS,
    ...(judge === undefined ? {} : { lookup: judge.lookup }),
  };
  const tls = isSecure ? createTls(base, hostOf(options.serverName) ?? host) : undefined;

  function open(listener: SocketListener): Socket {
    // Before a packet leaves.
    if (judge?.admits(host) === false) return new Socket().destroy(new AddressRefused());
    if (tls !== undefined) {
      const socket = tls();
      socket.on("data", (bytes: Buffer) => listener.octets(bytes, bytes.length));
      return socket;
    }
    return connectTcp({
      ...base,
      // Spares each read a buffer of its own and the machinery of a stream.
      onread: {
        buffer: shared,
        callback(length) {
          listener.octets(shared, length);
          return true;
        },
      },
    });
  }

  return (listener) => {
    const socket = open(listener);
    let isUp = false;
    const giveUp = (): void => {
      if (!isUp) socket.destroy(new ConnectTimeout());
    };
    // Time may have passed because this process had none: a connection that came up meanwhile is seen before the next immediate.
    const timer = timeout > 0 ? clock.setTimeout(() => setImmediate(giveUp), timeout) : undefined;
    socket.once(isSecure ? "secureConnect" : "connect", () => {
      isUp = true;
      timer?.cancel();
      listener.up();
    });
    socket.once("end", () => listener.ended());
    socket.on("error", (error) => listener.failed(error));
    socket.once("close", () => {
      timer?.cancel();
      listener.ended();
    });
    return socket;
  };
}

/** Loaded when the first agent wants it. */
function createTls(base: ConnectionOptions, name: string): () => TLSSocket {
  const { connect } = process.getBuiltinModule("node:tls");
  let session: Buffer | undefined;
  return () => {
    const socket = connect({
      ...base,
      ALPNProtocols: ["http/1.1"],
      // An address is no server name (RFC 6066 section 3); the certificate is held against it all the same.
      ...(isIP(name) === 0 ? { servername: name } : { servername: "", host: base.host ?? name }),
      ...(session === undefined ? {} : { session }),
    });
    socket.on("session", (made) => {
      if (socket.authorized) session = made;
    });
    return socket;
  };
}

const withoutBrackets = (host: string): string => (host.startsWith("[") ? host.slice(1, -1) : host);

/** The name in a Host header. */
function hostOf(authority: string | undefined): string | undefined {
  if (authority === undefined) return undefined;
  const parsed = URL.parse(`https://${authority}`);
  return parsed === null ? authority : withoutBrackets(parsed.hostname);
}
