// An answer over HTTP/1.1 in the form that exchanges know. In: head and pieces of the body. Out: octets into the connection's socket, as
// few writes as can be, and how the body ends (RFC 9112 section 6).
import type { Socket } from "node:net";
import type { ClientResponse } from "../exchange/client.ts";
import type { ReceivedHead } from "../http1/received-head.ts";
import { answerHead, framingOf } from "../http1/write-answer.ts";

/** Pieces up to this size leave in one write together with what stands around them; bytes. */
const ONE_WRITE = 32 * 1024;

/** What is said in every answer of a connection. */
export interface AnswerLines {
  /** The Date line of now. */
  readonly date: () => string;
  /** What is said of a connection that goes on. */
  readonly keepAlive: string;
  /** Calls once what happens in this turn of the event loop is over. */
  readonly soon: (run: () => void) => void;
}

export class Http1Response implements ClientResponse {
  readonly #socket: Socket;
  readonly #lines: AnswerLines;
  /** Called once all was handed to the system. */
  readonly #whenSent: () => void;
  readonly #isHead: boolean;
  readonly #isLatest: boolean;
  /** Not written yet. */
  #head = "";
  #chunked = false;
  #bodiless = false;
  #onClose: (() => void) | undefined;
  #onDrain: (() => void) | undefined;
  /** Nothing more is written. */
  #over = false;
  /** The connection ends with this answer. */
  isLast: boolean;
  /** All of it was written, though it may not have left. */
  ended = false;
  headersSent = false;
  writableFinished = false;

  constructor(socket: Socket, lines: AnswerLines, head: ReceivedHead, whenSent: () => void) {
    this.#socket = socket;
    this.#lines = lines;
    this.#whenSent = whenSent;
    this.#isHead = head.method === "HEAD";
    this.#isLatest = head.isLatest;
    this.isLast = !head.keepsAlive;
  }

  writeContinue(): void {
    this.#socket.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
  }

  writeHead(status: number, headers: readonly string[]): void {
    const { hasLength, closes } = framingOf(headers);
    this.#bodiless = this.#isHead || status === 204 || status === 304;
    const isOpen = !hasLength && !this.#bodiless;
    this.#chunked = isOpen && this.#isLatest;
    // To HTTP/1.0 the end of the connection ends the body.
    if (closes || (isOpen && !this.#isLatest)) this.isLast = true;
    const { date, keepAlive } = this.#lines;
    const connection = this.isLast ? "Connection: close\r\n" : keepAlive;
    const coding = this.#chunked ? "Transfer-Encoding: chunked\r\n" : "";
    this.#head = answerHead(status, headers, `${date()}${connection}${coding}`);
    this.headersSent = true;
  }

  flushHeaders(): void {
    if (this.#over || this.#head === "") return;
    this.#socket.write(this.#head, "latin1");
    this.#head = "";
  }

  write(chunk: Buffer): boolean {
    if (this.#over) return true;
    const head = this.#head;
    this.#head = "";
    if (this.#bodiless || chunk.length === 0) return head === "" || this.#socket.write(head, "latin1");
    return this.#chunked
      ? this.#send(`${head}${chunk.length.toString(16)}\r\n`, chunk, "\r\n")
      : this.#send(head, chunk, "");
  }

  end(chunk?: Buffer): void {
    if (this.#over) return;
    this.#over = true;
    this.ended = true;
    const head = this.#head;
    this.#head = "";
    if (chunk === undefined || chunk.length === 0 || this.#bodiless) {
      this.#socket.write(this.#chunked ? `${head}0\r\n\r\n` : head, "latin1");
    } else if (this.#chunked) {
      this.#send(`${head}${chunk.length.toString(16)}\r\n`, chunk, "\r\n0\r\n\r\n");
    } else this.#send(head, chunk, "");
    // Nearly always the system took it at once; then a callback of the write would only cost a turn of its own.
    if (this.#socket.writableLength === 0) this.#lines.soon(this.#whenSent);
    else this.#socket.write("", "latin1", this.#whenSent);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onClose(listener: () => void): void {
    this.#onClose = listener;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  /** The socket takes more. */
  drained(): void {
    const listener = this.#onDrain;
    this.#onDrain = undefined;
    if (!this.#over) listener?.();
  }

  /** @param sent all of it was handed to the system; else the client left */
  close(sent: boolean): void {
    this.#over = true;
    this.writableFinished = sent;
    const listener = this.#onClose;
    this.#onClose = undefined;
    this.#onDrain = undefined;
    listener?.();
  }

  #send(before: string, chunk: Buffer, after: string): boolean {
    const socket = this.#socket;
    if (chunk.length <= ONE_WRITE) {
      return socket.write(`${before}${chunk.toString("latin1")}${after}`, "latin1");
    }
    socket.cork();
    if (before !== "") socket.write(before, "latin1");
    const more = socket.write(chunk);
    const took = after === "" ? more : socket.write(after, "latin1");
    socket.uncork();
    return took;
  }
}
