// Sessions of HTTP/2. In: sessions and their streams as they come and go. Out: those that are idle are closed; clients are asked to leave
// before a drain, without a stream being lost.
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { SEND_MS, Unsent } from "../downstream/unsent.ts";

/** Error codes of RFC 9113 section 7. */
const NO_ERROR = 0;
const CANCEL = 8;
/** The id that a first GOAWAY names: what is on its way is still served (RFC 9113 section 6.8). */
const LAST_STREAM = 2 ** 31 - 1;
/** How long a request may be on its way into an idle session when a drain begins; milliseconds. */
const ON_ITS_WAY_MS = 250;

export interface SessionsOptions {
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number;
  /** Milliseconds until the first request, and between requests. */
  readonly headersTimeout: number;
  readonly keepAliveTimeout: number;
}

export interface Sessions {
  /** @param socket that of the session */
  opened(session: ServerHttp2Session, socket: Socket): void;
  streamOpened(stream: ServerHttp2Stream): void;
  /** Asks the client to open no more streams. The session is closed after its last one. */
  leave(session: ServerHttp2Session): void;
  /** From now on sessions end as soon as they have no stream. */
  drain(): void;
  /** Closes what was idle for too long, and streams of which the client takes nothing. Called a few times a second. */
  sweep(): void;
  /** Resolves once there is none. */
  ended(): Promise<void>;
  readonly size: number;
}

interface Open {
  readonly socket: Socket;
  readonly streams: Map<ServerHttp2Stream, Unsent>;
  /** When it is closed if it has no stream. */
  until: number;
  leaving: boolean;
}

function cut(stream: ServerHttp2Stream): void {
  stream.close(CANCEL);
  // What was written is not waited for.
  stream.destroy();
}

export function createSessions(options: SessionsOptions): Sessions {
  const { now, headersTimeout, keepAliveTimeout } = options;
  const open = new Map<ServerHttp2Session, Open>();
  const whenNone: (() => void)[] = [];
  let draining = false;

  function leave(session: ServerHttp2Session): void {
    const state = open.get(session);
    if (state === undefined || state.leaving || session.destroyed || session.closed) return;
    state.leaving = true;
    session.goaway(NO_ERROR, LAST_STREAM);
  }

  return {
    opened(session, socket) {
      open.set(session, {
        socket,
        streams: new Map(),
        until: now() + (draining ? ON_ITS_WAY_MS : headersTimeout),
        leaving: false,
      });
      session.once("close", () => {
        open.delete(session);
        if (open.size === 0) whenNone.splice(0).forEach((wake) => wake());
      });
    },
    streamOpened(stream) {
      const { session } = stream;
      const state = session === undefined ? undefined : open.get(session as ServerHttp2Session);
      if (session === undefined || state === undefined) return;
      state.streams.set(stream, new Unsent());
      stream.once("close", () => {
        state.streams.delete(stream);
        if (state.streams.size > 0) return;
        state.until = now() + keepAliveTimeout;
        // Now the last stream that was served is known, so the client knows what it may send again elsewhere.
        if (state.leaving && !session.destroyed) session.close();
      });
    },
    leave,
    drain() {
      draining = true;
      for (const [session, state] of open) {
        if (state.streams.size > 0) leave(session);
        else if (!session.closed) state.until = Math.min(state.until, now() + ON_ITS_WAY_MS);
      }
    },
    sweep() {
      const at = now();
      for (const [session, state] of open) {
        const { socket, streams, until } = state;
        if (streams.size === 0 && at >= until) {
          // A session is over for node:http2 when the client has taken all of it.
          if (session.closed || session.destroyed) socket.destroy();
          else session.close();
          state.until = at + SEND_MS;
        }
        for (const [stream, unsent] of streams) if (unsent.isStuck(stream, at)) cut(stream);
      }
    },
    ended: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => whenNone.push(resolve))),
    get size() {
      return open.size;
    },
  };
}
