// When an edit is live everywhere. In: proxies, a request that tells, an edit. Out: milliseconds until the last proxy has it, and wrong answers.
import { Pool } from "undici";

/** Milliseconds between two probes of a proxy. */
const EVERY_MS = 5;
/** Probes of a proxy that wait for their answers at once: more of them would only hold up what they are to tell. */
const MOST_WAITING = 4;
/** Milliseconds after which an edit that is not live is given up. */
const LIMIT_MS = 60_000;

export interface Question {
  readonly path: string;
  readonly token: string;
  /** The only answer that is right before the edit, and the only one after. */
  readonly before: number;
  readonly after: number;
}

export interface Seen {
  /** From sending the edit to the right answer of the last proxy. */
  readonly ms: number;
  /** From the API server's answer to the edit; what was faster than that is 0. */
  readonly sinceAnswer: number;
  readonly wrong: readonly string[];
}

export interface Prober {
  /** Probes every proxy while `edit` is sent, and until all have it. */
  time(question: Question, edit: () => Promise<unknown>): Promise<Seen>;
  /** One request to each proxy after another, at this rate in all, until it is stopped; tells how many failed. */
  load(path: string, token: string, perSecond: number): { stop(): Promise<{ sent: number; failed: number }> };
  close(): Promise<void>;
}

const BODY = JSON.stringify({
  jsonrpc: "2.0",
  id: "1",
  method: "message/send",
  params: { message: { kind: "message", role: "user", messageId: "m", parts: [{ kind: "text", text: "hello" }] } },
});

export function createProber(origins: readonly string[]): Prober {
  const pools = origins.map((origin) => new Pool(origin, { connections: 32, pipelining: 1 }));
  const ask = async (pool: Pool, path: string, token: string): Promise<number> => {
    const { statusCode, body } = await pool.request({
      method: "POST",
      path,
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: BODY,
    });
    await body.dump();
    return statusCode;
  };

  /** Resolves with the time at which the first answer `after` came; goes on asking until `over`. */
  const watch = (n: number, pool: Pool, question: Question, wrong: string[], over: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      let waiting = 0;
      /** When the request was sent that first got the new answer: what is sent later must not get the old one. */
      let turned: number | undefined;
      const one = async (): Promise<void> => {
        if (waiting === MOST_WAITING) return;
        const sent = performance.now();
        waiting += 1;
        const status = await ask(pool, question.path, question.token).catch((error: unknown) => String(error));
        waiting -= 1;
        if (status === question.after) {
          turned ??= sent;
          resolve(performance.now());
        } else if (status !== question.before || (turned !== undefined && sent > turned)) {
          wrong.push(`proxy ${n} answered ${status} to ${question.path}`);
        }
      };
      const timer = setInterval(() => void one(), EVERY_MS);
      over.addEventListener("abort", () => {
        clearInterval(timer);
        reject(new Error(`${question.path} is not ${question.after} on proxy ${n}`));
      });
      void one();
    });

  return {
    time: async (question, edit) => {
      const wrong: string[] = [];
      const statuses = await Promise.all(pools.map((pool) => ask(pool, question.path, question.token)));
      for (const status of statuses)
        if (status !== question.before) wrong.push(`before the edit: ${status} to ${question.path}`);
      const over = new AbortController();
      const limit = setTimeout(() => over.abort(), LIMIT_MS);
      const watching = pools.map((pool, n) => watch(n, pool, question, wrong, over.signal));
      try {
        const sent = performance.now();
        const answered = edit().then(() => performance.now());
        const live = Math.max(...(await Promise.all(watching)));
        return { ms: live - sent, sinceAnswer: Math.max(0, live - (await answered)), wrong };
      } finally {
        clearTimeout(limit);
        over.abort();
      }
    },
    load: (path, token, perSecond) => {
      let sent = 0;
      let failed = 0;
      const running = new Set<Promise<void>>();
      const begun = performance.now();
      const timer = setInterval(() => {
        while (sent < ((performance.now() - begun) / 1_000) * perSecond) {
          const pool = pools[sent % pools.length];
          sent += 1;
          if (pool === undefined) return;
          const one: Promise<void> = ask(pool, path, token)
            .then((status) => {
              if (status !== 200) failed += 1;
            })
            .catch(() => {
              failed += 1;
            })
            .finally(() => running.delete(one));
          running.add(one);
        }
      }, EVERY_MS);
      return {
        stop: async () => {
          clearInterval(timer);
          await Promise.all(running);
          return { sent, failed };
        },
      };
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}
