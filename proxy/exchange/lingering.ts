// Connections on their way out. In: a socket and how long it may take. Out: it is destroyed if it did not end by itself.
interface Leaving {
  readonly destroyed: boolean;
  destroy(): unknown;
}

export interface Lingering {
  /**
   * Destroys the socket at `until` (milliseconds of the monotonic clock), unless `done` says by then that there is no need.
   */
  add(socket: Leaving, until: number, done?: () => boolean): void;
  has(socket: Leaving): boolean;
  sweep(now: number): void;
  readonly size: number;
}

/** Sockets that are to come to an end by themselves, and are closed if they do not. */
export function createLingering(): Lingering {
  const sockets = new Map<Leaving, { readonly until: number; readonly done: (() => boolean) | undefined }>();
  return {
    add(socket, until, done) {
      sockets.set(socket, { until, done });
    },
    has: (socket) => sockets.has(socket),
    sweep(now) {
      for (const [socket, { until, done }] of sockets) {
        const ended = socket.destroyed || done?.() === true;
        if (!ended && now < until) continue;
        sockets.delete(socket);
        if (!ended) socket.destroy();
      }
    },
    get size() {
      return sockets.size;
    },
  };
}
