// Plain calls to the gateway, as curl would make them. In: a proxy's URL, an agent, a key. Out: status and body.

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A JSON-RPC `message/send` (0.3) body. */
export const sendBody = (
  text: string,
  id: string | number = "1",
  more: Readonly<Record<string, string>> = {},
): string =>
  JSON.stringify({
    jsonrpc: "2.0",
    id,
    method: "message/send",
    params: {
      message: { kind: "message", role: "user", messageId: `m-${id}`, parts: [{ kind: "text", text }], ...more },
    },
  });

export const streamBody = (text: string, id: string | number = "1"): string =>
  sendBody(text, id).replace('"message/send"', '"message/stream"');

/** POSTs a JSON body; `token` undefined sends no key. */
export async function post(
  url: string,
  token: string | undefined,
  body: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method: "POST",
    redirect: "manual",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body,
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** An open SSE answer that can be waited on. */
export interface OpenStream {
  readonly status: number;
  text(): string;
  /** Resolves when the text received so far matches. */
  until(pattern: RegExp): Promise<void>;
  /** Resolves when the answer ended; `clean` is false when the connection broke. */
  readonly ended: Promise<{ readonly clean: boolean }>;
  cancel(): Promise<void>;
}

/** Opens a stream with `message/stream`. */
export async function openStream(url: string, token: string, body: string): Promise<OpenStream> {
  const abort = new AbortController();
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream", authorization: `Bearer ${token}` },
    body,
    signal: abort.signal,
  });
  let text = "";
  const waiting = new Set<() => void>();
  const decoder = new TextDecoder();
  const ended = (async () => {
    try {
      if (answer.body !== null)
        for await (const chunk of answer.body) {
          text += decoder.decode(chunk as Uint8Array, { stream: true });
          for (const check of waiting) check();
        }
      return { clean: true };
    } catch {
      return { clean: false };
    }
  })();
  return {
    status: answer.status,
    text: () => text,
    until: async (pattern) => {
      const matched = new Promise<void>((resolve) => {
        const check = (): void => {
          if (!pattern.test(text)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      });
      const over = ended.then(() => {
        if (!pattern.test(text)) throw new Error(`the stream ended before ${pattern}:\n${text}`);
      });
      await Promise.race([matched, over]);
    },
    ended,
    cancel: async () => {
      abort.abort();
      await ended;
    },
  };
}
