// Stands between a proxy and an operator and counts what goes by. In: where to connect to. Out: a port, bytes, and a way to cut the line.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface ByteRelay {
  readonly url: string;
  /** Bytes that came from the far side since the start. */
  readonly received: number;
  /** Cuts every connection and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** `to`: a URL; its host and port are what is connected to. */
export async function startByteRelay(to: string): Promise<ByteRelay> {
  const { protocol, hostname, port } = new URL(to);
  const open = new Set<Socket>();
  let received = 0;
  let up = true;
  const server = createServer((near) => {
    if (!up) return void near.destroy();
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    far.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    near.pipe(far);
    far.pipe(near);
    return undefined;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    up = false;
    for (const socket of open) socket.destroy();
  };
  return {
    url: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`,
    get received() {
      return received;
    },
    cut,
    mend: () => {
      up = true;
    },
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
