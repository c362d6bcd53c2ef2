// Many proxies that keep no table: each has its streams, reads every line and acknowledges each batch, also on standby, where proxies do so less often.
// In: one argument, JSON: operators (the first is applied, the others are on standby), gateway, version to begin with, how many. Out: a line once
// all have their streams; they end with the process.
import { Agent, request } from "undici";
import { ACKS_PATH, STREAM_PATH, type Ack, type StreamLine, type Subscription } from "../../../proxy/table/contract.ts";

export interface SubscribersOptions {
  readonly operators: readonly string[];
  readonly gateway: string;
  readonly version: string;
  readonly count: number;
}

const dispatcher = new Agent({ connections: 400, pipelining: 1 });

/** Sends the newest acknowledgement, one at a time. */
function acknowledger(base: string): (ack: Ack) => void {
  let newest: Ack | undefined;
  let sending = false;
  const send = async (): Promise<void> => {
    while (newest !== undefined) {
      const ack = newest;
      newest = undefined;
      const { body } = await request(`${base}${ACKS_PATH}`, { method: "POST", body: JSON.stringify(ack), dispatcher });
      await body.dump();
    }
    sending = false;
  };
  return (ack) => {
    newest = ack;
    if (sending) return;
    sending = true;
    void send();
  };
}

/** Opens the streams of one proxy; resolves when all of them have been greeted. */
async function subscribe({ operators, gateway, version }: SubscribersOptions, proxy: string): Promise<void> {
  let reached = version;
  const settle = new Set<() => void>();
  const follow = async (base: string, standby: boolean): Promise<void> => {
    const acknowledge = acknowledger(base);
    const subscription: Subscription = { gateway, proxy, version: reached, ...(standby ? { standby } : {}) };
    const { statusCode, body } = await request(`${base}${STREAM_PATH}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(subscription),
      dispatcher,
      bodyTimeout: 0,
    });
    if (statusCode !== 200) throw new Error(`${base} answered ${statusCode}`);
    let pending: Ack | undefined;
    /** What a standby stream named is said once the table has come to it. */
    const say = (): void => {
      if (pending?.version !== reached) return;
      acknowledge(pending);
      pending = undefined;
    };
    settle.add(say);
    let last = "";
    const take = (text: string): void => {
      const line = JSON.parse(text) as StreamLine;
      if (line.type !== "COMMIT" && line.type !== "HEARTBEAT") return;
      if (!standby && line.type === "COMMIT") reached = line.version;
      if (`${line.sequence} ${line.version}` === last) return;
      last = `${line.sequence} ${line.version}`;
      const { replica, sequence, version: named } = line;
      pending = { proxy, replica, sequence, version: named, refused: [], refusedRows: 0 };
      for (const check of settle) check();
    };
    let rest = "";
    body.setEncoding("utf8");
    body.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) take(line);
    });
    body.on("close", () => {
      console.error(`a stream of ${base} ended`);
      process.exit(1);
    });
  };
  await Promise.all(operators.map((base, n) => follow(base, n > 0)));
}

const options = JSON.parse(process.argv[2] ?? "{}") as SubscribersOptions;
for (let n = 0; n < options.count; n += 1) await subscribe(options, `subscriber-${n}`);
console.log("subscribed");
