// What a proxy has acknowledged holds for whoever starts from its log: killed the moment its acknowledgement of a removal comes, and started
// again with no operator to be reached, it never serves what was taken away.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { agentRowId, keyRowId, type RowChange } from "../../proxy/table/contract.ts";
import { startByteRelay, type ByteRelay } from "../harness/byte-relay.ts";
import { post, sendBody } from "../harness/calls.ts";
import { startProxy, type ProxyProcess } from "../harness/gateway.ts";
import { eventually } from "../harness/processes.ts";
import { agentRow, createRandom, keyRow, NAMESPACE, randomEdit, settings } from "../harness/random-rows.ts";
import { startTableOperator, type TableOperator } from "../harness/table-operator.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-acked-"));
const random = createRandom(4);
const proxies: ProxyProcess[] = [];
const killed = new Set<ProxyProcess>();
let operator: TableOperator;
let relay: ByteRelay;

const tokenOf = (name: string): string => `sk-${name}-0123456789-0123456789-0123456789`;
const keyOf = (name: string, more: Parameters<typeof keyRow>[3] = {}): RowChange => ({
  id: keyRowId(NAMESPACE, name),
  row: keyRow(name, tokenOf(name), ["hello"], more),
});

/** Ways to take a key's access away; each leads to 401 but for the last, which leads to 404. */
const removals: readonly (readonly [string, (name: string) => RowChange, number])[] = [
  ["the key is removed", (name) => ({ id: keyRowId(NAMESPACE, name), row: null }), 401],
  ["the key is disabled", (name) => keyOf(name, { disabled: true }), 401],
  ["the token is another", (name) => keyOf(name, { sha256: "0".repeat(64) }), 401],
  ["the key is granted nothing", (name) => keyOf(name, { agents: [] }), 404],
];

const status = async (proxy: ProxyProcess, name: string): Promise<number> =>
  (await post(`${proxy.url}/a2a/hello`, tokenOf(name), sendBody("hello"))).status;

beforeAll(async () => {
  const filling = Array.from({ length: 3_000 }, () => randomEdit(random)).filter(({ row }) => row !== null);
  const hello: RowChange = { id: agentRowId(NAMESPACE, "hello"), row: agentRow("hello", "http://127.0.0.1:9/") };
  operator = await startTableOperator([settings, hello, keyOf("kept"), ...filling]);
  relay = await startByteRelay(operator.url);
  for (let n = 0; n < removals.length; n += 1)
    proxies.push(await startProxy(`proxy-${n}`, [relay.url], { folder, args: [] }));
  await Promise.all(proxies.map((proxy) => proxy.ready()));
});

afterAll(async () => {
  await Promise.all(proxies.map(({ child }) => child.stop()));
  await relay?.close();
  await operator?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Calls back as soon as a proxy has acknowledged this batch; resolves when all that were not killed have. */
function acknowledged(sequence: number, then: (proxy: ProxyProcess) => void = () => undefined): Promise<void> {
  const { publisher } = operator;
  return new Promise((resolve) => {
    const open = new Map(proxies.filter((proxy) => !killed.has(proxy)).map((proxy) => [proxy.name, proxy]));
    const check = (): void => {
      for (const { proxy, acked } of publisher.proxies()) {
        const process = open.get(proxy);
        if (process === undefined || (acked?.sequence ?? 0) < sequence) continue;
        open.delete(proxy);
        then(process);
      }
      if (open.size > 0) return;
      stop();
      resolve();
    };
    const stop = publisher.onProxies(check);
    check();
  });
}

const others = (count: number): readonly RowChange[] => Array.from({ length: count }, () => randomEdit(random));

test.each([1, 2])(
  "round %i: each proxy is killed as it says that access is gone, and starts from its log",
  async (round) => {
    relay.mend();
    const names = removals.map(([how]) => `${how.replaceAll(" ", "-")}-${round}`);
    // Enough lines before it that the log is about to be compacted, or is.
    await acknowledged(operator.publisher.apply([...names.map((name) => keyOf(name)), ...others(500)]));
    for (const proxy of proxies) for (const name of names) expect(await status(proxy, name)).toBe(502);
    // One removal after another; the first proxy goes with the first of them, the second with the second.
    for (const [n, [, removal]] of removals.entries()) {
      const taken = operator.publisher.apply([removal(names[n] ?? ""), ...others(50)]);
      await acknowledged(taken, (proxy) => {
        if (proxies.indexOf(proxy) !== n) return;
        proxy.child.signal("SIGKILL");
        killed.add(proxy);
      });
    }
    relay.cut();
    killed.clear();
    await Promise.all(proxies.map((proxy) => proxy.restart("SIGKILL")));
    await Promise.all(proxies.map((proxy) => proxy.ready()));
    for (const [n, proxy] of proxies.entries()) {
      const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text();
      expect(metrics).toMatch(/^parley_table_last_good(\{\})? 1$/m);
      expect(await status(proxy, "kept")).toBe(502);
      for (const [m, [, , refused]] of removals.slice(0, n + 1).entries())
        expect(await status(proxy, names[m] ?? "")).toBe(refused);
    }
    relay.mend();
    await eventually("they have streams again", () => operator.publisher.proxies().length === proxies.length);
  },
);
