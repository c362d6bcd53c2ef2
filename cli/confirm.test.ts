// What is said on a terminal of what stands on a Lease: whoever may write the Lease has chosen it.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HELD_ANNOTATION } from "../operator/held.ts";
import { confirm } from "./confirm.ts";

const ESCAPE = "\u001b[2J\u009b1A\nnothing is held";

async function run(status: number, body: object): Promise<{ readonly code: number; readonly said: string }> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const folder = mkdtempSync(join(tmpdir(), "parley-confirm-"));
  const kubeconfig = join(folder, "config");
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [
        {
          name: "c",
          cluster: {
            server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
            "insecure-skip-tls-verify": true,
          },
        },
      ],
      users: [{ name: "u", user: {} }],
    }),
  );
  let said = "";
  const say = (text: string): void => void (said += text);
  try {
    const code = await confirm([`--kubeconfig=${kubeconfig}`], {
      env: {},
      out: say,
      err: say,
      outIsTerminal: true,
      errIsTerminal: true,
      outColours: false,
      errColours: false,
      readStdin: () => Promise.resolve(""),
      version: "0",
    });
    return { code, said };
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

/** A line ends only where the command ends it. */
const harmless = (said: string): boolean => !/[\p{Cc}]/u.test(said.replaceAll("\n", "")) && !/^nothing/m.test(said);

test("names that are held move no cursor and begin no line", async () => {
  const held = [{ id: "0123456789ab", kind: `Secret${ESCAPE}`, count: 2, names: [`a/b${ESCAPE}`] }];
  const { code, said } = await run(200, { metadata: { annotations: { [HELD_ANNOTATION]: JSON.stringify(held) } } });
  expect(code).toBe(0);
  expect(said).toContain("\\u001b[2J");
  expect(harmless(said)).toBe(true);
});

test("nor does what the API server refuses with", async () => {
  const { code, said } = await run(403, { kind: "Status", reason: "Forbidden", message: `no${ESCAPE}` });
  expect(code).toBe(1);
  expect(said).toContain("\\u001b[2J");
  expect(harmless(said)).toBe(true);
});
