// What tests have to close. In: things that close. Out: all of them closed after each test, last opened first.
import { afterEach } from "vitest";

export function createCleanup(): <T extends { close(): Promise<void> }>(started: Promise<T>) => Promise<T> {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each.close();
  });
  return async (started) => {
    const thing = await started;
    open.push(thing);
    return thing;
  };
}
