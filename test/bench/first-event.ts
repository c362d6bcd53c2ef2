// Delay of the first event of a stream. In: URLs to compare. Out: milliseconds from request to first byte, sampled in turn.
import { Pool } from "undici";

export interface StreamTarget {
  readonly name: string;
  readonly origin: string;
  readonly path: string;
  readonly token: string | undefined;
}

function once(pool: Pool, target: StreamTarget, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let first: number | undefined;
    pool.dispatch(
      {
        method: "POST",
        path: target.path,
        headers: [
          "content-type",
          "application/json",
          "accept",
          "text/event-stream",
          ...(target.token === undefined ? [] : ["authorization", `Bearer ${target.token}`]),
        ],
        body,
      },
      {
        onRequestStart() {
          // undici asks for it.
        },
        onResponseStart(_controller, status) {
          if (status !== 200) reject(new Error(`${target.name} answered ${status}`));
        },
        onResponseData() {
          first ??= performance.now() - started;
        },
        onResponseEnd() {
          resolve(first ?? Number.NaN);
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      },
    );
  });
}

/** Takes `samples` from each target, one after another in turn, after a warm-up of a tenth. */
export async function firstEvents(
  targets: readonly StreamTarget[],
  body: string,
  samples: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const pools = targets.map((target) => new Pool(target.origin, { connections: 1, pipelining: 1 }));
  const figures = new Map<string, number[]>(targets.map((target) => [target.name, []]));
  for (let i = -Math.ceil(samples / 10); i < samples; i += 1) {
    for (const [n, target] of targets.entries()) {
      const pool = pools[n];
      if (pool === undefined) continue;
      const ms = await once(pool, target, body);
      if (i >= 0) figures.get(target.name)?.push(ms);
    }
  }
  await Promise.all(pools.map((pool) => pool.close()));
  return figures;
}
