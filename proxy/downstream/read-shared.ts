// How connections of clients are read. In: an accepted socket. Out: a socket whose octets come in calls, from a block that all share.
import { Socket, type SocketConstructorOpts } from "node:net";

/** Octets that one read takes at most. */
const READ_SIZE = 64 * 1024;

/** One for all plain sockets: what is read is passed on before the next read. */
const shared = Buffer.allocUnsafeSlow(READ_SIZE);

/**
 * Node reads into a block of one's own only on sockets that one makes (`onread` of node:net), and makes those that a server accepts itself:
 * so the system's connection is moved into a socket made here. That spares each read an allocation and the machinery of a stream.
 * Sockets over TLS, and those that are gone already, are read as streams.
 *
 * @param accepted nothing was read from it yet; when one of the two closes, so does the other
 * @param octets gets what was read, from the block's start to a length; only good during the call
 */
export function readShared(accepted: Socket, octets: (bytes: Buffer, length: number) => void): Socket {
  const handle: unknown = "encrypted" in accepted ? undefined : Reflect.get(accepted, "_handle");
  if (handle === undefined || handle === null) {
    return accepted.on("data", (bytes: Buffer) => octets(bytes, bytes.length));
  }
  const options: SocketConstructorOpts = {
    onread: {
      buffer: shared,
      callback(length) {
        octets(shared, length);
        return true;
      },
    },
  };
  Reflect.set(accepted, "_handle", null);
  Reflect.set(options, "handle", handle);
  const socket = new Socket(options);
  socket.once("close", () => accepted.destroy());
  accepted.once("close", () => socket.destroy());
  return socket;
}

/**
 * Whether the system still has the connection. Of a reset nothing is heard while a socket is paused; what tells of it then is that
 * the system names no peer any more (getpeername(2)), and node:net remembers the name that it had.
 */
export function hasPeer(socket: Socket): boolean {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return false;
  const getpeername: unknown = Reflect.get(handle, "getpeername");
  return typeof getpeername !== "function" || Reflect.apply(getpeername, handle, [{}]) === 0;
}
