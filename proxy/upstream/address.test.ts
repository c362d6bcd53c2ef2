import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAddressPolicy } from "../table/address-policy.ts";
import { createClock } from "../../process/clock.ts";
import { createAddressJudge, type Resolve } from "./address.ts";
import { createDial } from "./dial.ts";

let server: Server;
let port = 0;
beforeAll(async () => {
  server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address === "object" && address !== null) ({ port } = address);
});
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

const resolves =
  (...addresses: string[]): Resolve =>
  (_hostname, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );

/** "connected", or the error's code. */
function tryTo(
  hostname: string,
  options: { allowed?: readonly string[]; resolve?: Resolve; timeout?: number } = {},
): Promise<string> {
  const { allowed = [], resolve = resolves("127.0.0.1"), timeout = 5000 } = options;
  const judge = createAddressJudge(createAddressPolicy(allowed), resolve);
  const dial = createDial({
    origin: `http://${hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname}:${port}`,
    serverName: undefined,
    timeout,
    judge,
    clock: createClock(),
  });
  return new Promise((done) => {
    const socket = dial({
      up() {
        socket.destroy();
        done("connected");
      },
      octets: () => {},
      ended: () => {},
      failed: (error) => done((error as NodeJS.ErrnoException).code ?? error.message),
    });
  });
}

describe("a connection", () => {
  test.each(["127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "::ffff:127.0.0.1", "[fd00::1]", "0.0.0.0"])(
    "to the address %s is refused",
    async (address) => {
      expect(await tryTo(address)).toBe("PARLEY_ADDRESS_REFUSED");
    },
  );

  test.each([["127.0.0.1"], ["169.254.169.254"], ["::1"], ["::ffff:10.0.0.1"], ["100.64.0.1", "fe80::1"]])(
    "to a name that resolves to %s is refused",
    async (...addresses) => {
      expect(await tryTo("agent.example.com", { resolve: resolves(...addresses) })).toBe("PARLEY_ADDRESS_REFUSED");
    },
  );

  test("to a name uses only the addresses that were admitted", async () => {
    const resolve = resolves("169.254.169.254", "10.0.0.1", "127.0.0.1");
    expect(await tryTo("agent.example.com", { allowed: ["127.0.0.0/8"], resolve })).toBe("connected");
  });

  test("to what the administrator allows is made, by address and by name", async () => {
    expect(await tryTo("127.0.0.1", { allowed: ["127.0.0.1/32"] })).toBe("connected");
    expect(await tryTo("localhost", { allowed: ["127.0.0.1/32"] })).toBe("connected");
  });

  test("to a name that is not known fails as such", async () => {
    const resolve: Resolve = (_hostname, _options, done) =>
      done(Object.assign(new Error("not found"), { code: "ENOTFOUND" }), []);
    expect(await tryTo("none.example.com", { resolve })).toBe("ENOTFOUND");
  });

  test("whose name does not resolve in time is a timeout", async () => {
    expect(await tryTo("slow.example.com", { resolve: () => {}, timeout: 50 })).toBe("PARLEY_CONNECT_TIMEOUT");
  });
});
