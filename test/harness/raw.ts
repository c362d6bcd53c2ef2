// Raw bytes to a port, as no HTTP library would send them. In: bytes. Out: what came back until the peer closed or an answer was whole.
import { connect } from "node:net";

export interface RawAnswer {
  readonly status: number | undefined;
  readonly head: string;
  readonly body: string;
  readonly closed: boolean;
}

/** Sends the bytes and reads one answer; a peer that just closes gives `status: undefined`. `end` half-closes after sending. */
export function raw(
  port: number,
  bytes: string | Buffer,
  options: { readonly end?: boolean; readonly host?: string } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, options.host ?? "127.0.0.1");
    let text = "";
    const answer = (closed: boolean): RawAnswer => {
      const at = text.indexOf("\r\n\r\n");
      const head = at < 0 ? text : text.slice(0, at);
      const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
      return {
        status: status === undefined ? undefined : Number(status),
        head,
        body: at < 0 ? "" : text.slice(at + 4),
        closed,
      };
    };
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      text += chunk;
      const { head, body } = answer(false);
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (text.includes("\r\n\r\n") && length !== undefined && body.length >= Number(length)) {
        resolve(answer(false));
        socket.destroy();
      }
    });
    socket.on("close", () => resolve(answer(true)));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET" || error.code === "EPIPE") resolve(answer(true));
      else reject(error);
    });
    socket.write(bytes);
    if (options.end === true) socket.end();
  });
}
