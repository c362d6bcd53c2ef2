// What each proxy serves, as far as it said so. In: streams that open and close, acknowledgements. Out: who has which sequence, who refused what.
import type { Clock, Timer } from "../../process/clock.ts";
import type { Ack, RowId } from "../../proxy/table/contract.ts";

/** Milliseconds for which a proxy whose stream was cut here counts as one that lags: it may serve an old table all that time. */
const LOST_MS = 60_000;

export interface ProxyState {
  /** The proxy's instance id. */
  readonly proxy: string;
  /** What people call it, where that is another name. */
  readonly name?: string;
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  /** Its stream brings it nothing but what takes access away: it applies another operator's. */
  readonly standby: boolean;
  /** Undefined until the first acknowledgement on this stream. */
  readonly acked: { readonly sequence: number; readonly version: string; readonly at: number } | undefined;
  /** Rows that it does not serve as sent, and why; at most the 100 that an acknowledgement names. */
  readonly refused: ReadonlyMap<RowId, string>;
  /** All rows that it refused. */
  readonly refusedRows: number;
  /** Its stream was cut here and it has not come back: what it serves now is not known. */
  readonly lost?: true;
}

/** One stream of a proxy; a later stream of the same proxy replaces it. */
export interface Connection {
  readonly proxy: string;
}

export interface Acks {
  /**
   * A stream was opened. What the proxy acknowledged on its stream before stays if it still holds that very version, as when it changes
   * over from standby; else it is forgotten: it may be another process.
   */
  connected(
    proxy: string,
    stream: { readonly address: string; readonly standby: boolean; readonly version?: string | undefined },
  ): Connection;
  disconnected(connection: Connection): void;
  /** The stream is about to be cut here. The proxy stays, as one that has acknowledged nothing, until it comes again or a minute is over. */
  lost(connection: Connection): void;
  /** False: this proxy has no stream here. */
  ack(ack: Ack): boolean;
  /** Every proxy with a stream, or whose stream was cut here not long ago, by id. */
  proxies(): readonly ProxyState[];
  /** Called when anything above changed. Returns how to stop. */
  onChange(listener: () => void): () => void;
  /** Stops its timers. */
  close(): void;
}

interface Entry {
  readonly connection: Connection;
  readonly state: ProxyState;
  /** Ends the memory of a proxy that was lost. */
  readonly timer?: Timer;
}

const NOTHING = { acked: undefined, refused: new Map<RowId, string>(), refusedRows: 0 } as const;

const byId = (a: ProxyState, b: ProxyState): number => (a.proxy < b.proxy ? -1 : Number(a.proxy > b.proxy));

export function createAcks({ clock }: { clock: Clock }): Acks {
  const states = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  /** By id; made when it is next asked for. */
  let sorted: readonly ProxyState[] | undefined;
  const changed = (): void => {
    sorted = undefined;
    for (const listener of listeners) listener();
  };
  return {
    connected: (proxy, { address, standby, version }) => {
      const connection: Connection = { proxy };
      const before = states.get(proxy);
      before?.timer?.cancel();
      const stands = before?.state.acked !== undefined && before.state.acked.version === version;
      const { acked, refused, refusedRows } = stands ? before.state : NOTHING;
      states.set(proxy, {
        connection,
        state: { proxy, address, connectedAt: clock.now(), standby, acked, refused, refusedRows },
      });
      changed();
      return connection;
    },
    disconnected: (connection) => {
      const entry = states.get(connection.proxy);
      if (entry?.connection !== connection || entry.state.lost === true) return;
      states.delete(connection.proxy);
      changed();
    },
    lost: (connection) => {
      const { proxy } = connection;
      const entry = states.get(proxy);
      if (entry?.connection !== connection) return;
      const timer = clock.setTimeout(() => {
        states.delete(proxy);
        changed();
      }, LOST_MS);
      const state: ProxyState = { ...entry.state, ...NOTHING, lost: true };
      states.set(proxy, { connection, state, timer });
      changed();
    },
    ack: (ack) => {
      const entry = states.get(ack.proxy);
      if (entry === undefined || entry.state.lost === true) return false;
      // Acknowledgements are separate requests and may overtake one another.
      if (entry.state.acked !== undefined && ack.sequence < entry.state.acked.sequence) return true;
      const state: ProxyState = {
        ...entry.state,
        acked: { sequence: ack.sequence, version: ack.version, at: clock.now() },
        refused:
          ack.refused.length === 0 ? NOTHING.refused : new Map(ack.refused.map(({ id, reason }) => [id, reason])),
        refusedRows: ack.refusedRows,
      };
      states.set(ack.proxy, { connection: entry.connection, state });
      changed();
      return true;
    },
    proxies: () => {
      sorted ??= [...states.values()].map(({ state }) => state).sort(byId);
      return sorted;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      for (const { timer } of states.values()) timer?.cancel();
    },
  };
}

/** Reads the body of an acknowledgement; undefined when it is none. */
export function parseAck(text: string): Ack | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { proxy, replica, sequence, version, refused, refusedRows } = value as Record<string, unknown>;
  if (typeof proxy !== "string" || typeof replica !== "string" || typeof version !== "string") return undefined;
  if (!isCount(sequence) || !isCount(refusedRows) || !Array.isArray(refused) || refused.length > 100) return undefined;
  const rows: { readonly id: RowId; readonly reason: string }[] = [];
  for (const row of refused as readonly unknown[]) {
    if (typeof row !== "object" || row === null) return undefined;
    const { id, reason } = row as Record<string, unknown>;
    if (typeof id !== "string" || typeof reason !== "string") return undefined;
    rows.push({ id, reason: reason.slice(0, 500) });
  }
  return { proxy, replica, sequence, version, refused: rows, refusedRows };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
