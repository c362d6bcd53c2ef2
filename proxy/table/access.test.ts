// What a session takes from files, and when it ends for them.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAccess, type Session } from "./access.ts";
import { createFakeClock } from "./clock.test-support.ts";

let folder: string;
let token: string;
const sessions: Session[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-access-"));
  token = join(folder, "token");
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  rmSync(folder, { recursive: true });
});

test("without files there is no token", async () => {
  const opened = await createAccess({ clock: createFakeClock() }).open();
  expect(opened).toMatchObject({ ok: true, session: { headers: {} } });
  if (opened.ok) sessions.push(opened.session);
});

test("a session ends when its token is replaced, and the next one shows the new token", async () => {
  const clock = createFakeClock();
  const access = createAccess({ tokenFile: token, clock });
  writeFileSync(token, "first.token\n");
  const first = await access.open();
  if (!first.ok) throw new Error(first.fault);
  sessions.push(first.session);
  expect(first.session.headers).toEqual({ authorization: "Bearer first.token" });
  rmSync(token);
  await look();
  expect(first.session.renewed.aborted).toBe(false);
  writeFileSync(token, "second.token");
  clock.advance(5000);
  await once(first.session.renewed, "abort");
  const second = await access.open();
  if (!second.ok) throw new Error(second.fault);
  sessions.push(second.session);
  expect(second.session.headers).toEqual({ authorization: "Bearer second.token" });

  /** Lets one look at the file happen that finds nothing new: it is followed by the wait for the next. */
  async function look(): Promise<void> {
    clock.advance(5000);
    await clock.scheduled();
  }
});

test.each([
  ["is missing", undefined, /ENOENT/],
  ["is empty", "", /holds no token/],
  ["holds what no header can carry", "abc\ndef", /holds no token/],
])("a token file that %s is said, without what stands in it", async (_name, content, fault) => {
  if (content !== undefined) writeFileSync(token, content);
  const opened = await createAccess({ tokenFile: token, clock: createFakeClock() }).open();
  expect(opened).toEqual({ ok: false, fault: expect.stringMatching(fault) as string });
  expect(JSON.stringify(opened)).not.toContain("def");
});
