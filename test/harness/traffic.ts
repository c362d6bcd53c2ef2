// Requests and streams that must go on whatever happens. In: proxies and an agent that they serve. Out: how many there were, and every one that failed.
import { openStream, post, sendBody, streamBody } from "./calls.ts";

export interface Traffic {
  /** Ends it; resolves when the last stream has ended. */
  stop(): Promise<{ readonly requests: number; readonly streams: number; readonly failures: readonly string[] }>;
}

/** Each URL (`…/a2a/{agent}`) gets a request every `everyMs` and one stream after another; each stream lasts some seconds. */
export function startTraffic(urls: readonly string[], token: string, everyMs = 50): Traffic {
  const failures: string[] = [];
  let requests = 0;
  let streams = 0;
  const ended = new AbortController();
  const running = new Set<Promise<void>>();

  const call = async (url: string): Promise<void> => {
    requests += 1;
    try {
      const { status, text } = await post(url, token, sendBody("hello", requests));
      if (status !== 200) failures.push(`request to ${url}: ${status} ${text.slice(0, 200)}`);
    } catch (error) {
      failures.push(`request to ${url}: ${String(error)}`);
    }
  };
  const stream = async (url: string): Promise<void> => {
    while (!ended.signal.aborted) {
      streams += 1;
      try {
        const open = await openStream(url, token, streamBody("long 2", streams));
        const { clean } = await open.ended;
        if (open.status !== 200 || !clean || !open.text().includes("completed"))
          failures.push(`stream of ${url}: ${open.status} ${clean ? "" : "broken "}${open.text().slice(-200)}`);
      } catch (error) {
        failures.push(`stream of ${url}: ${String(error)}`);
      }
    }
  };
  const timer = setInterval(() => {
    for (const url of urls) {
      const one = call(url).finally(() => running.delete(one));
      running.add(one);
    }
  }, everyMs);
  const streaming = urls.map(stream);
  return {
    stop: async () => {
      ended.abort();
      clearInterval(timer);
      await Promise.all([...streaming, ...running]);
      return { requests, streams, failures };
    },
  };
}
