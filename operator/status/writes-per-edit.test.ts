import { expect, it } from "vitest";
import { createFakeClock } from "../../proxy/table/clock.test-support.ts";
import type { BackendStatus } from "../../crds/types.ts";
import type { Finding } from "../translate/result.ts";
import { agent, CARDS, conditionsOf, createWorld, result, settle } from "./writer.test-support.ts";

const EDITS = 100;
/** Milliseconds: fifty edits a second. */
const PACE = 20;
const PENDING: Finding = { type: "Discovered", status: "Unknown", reason: "Pending", message: "" };
const found: BackendStatus = { name: "a", interfaces: [], versions: ["1.0"], cardName: "A", signed: false };

// Within their limits: of cards 300 ms, of acknowledgements a second.
it.each([
  ["at once", 0, 20],
  ["cards before acknowledgements", 40, 980],
  ["acknowledgements before cards", 280, 40],
  ["both late", 280, 980],
])("writes each of fifty edits a second once, with what comes after it: %s", async (_, cards, acks) => {
  const clock = createFakeClock();
  const world = createWorld(clock);
  const names = Array.from({ length: EDITS }, (_, index) => `agent-${index}`);
  world.writer.lead(true);
  world.ack({ near: 0, far: 0 });
  /** One generation of every agent, an agent every 20 ms. */
  const round = async (generation: number): Promise<void> => {
    const first = (generation - 1) * EDITS + 1;
    for (let time = 0; time <= PACE * EDITS + 2_000; time += PACE) {
      const edited = time / PACE;
      const name = names[edited];
      if (name !== undefined) {
        agent(world, name, generation);
        world.publish(first + edited);
        const conditions = [{ type: "Accepted", status: "True", reason: "Accepted", message: "" } as const, PENDING];
        world.writer.results([result(name, generation, { conditions })], first + edited);
        world.writer.discovered({ namespace: "agents", name, uid: `uid-${name}` }, [], PENDING);
      }
      const read = names[(time - cards) / PACE];
      if (read !== undefined) {
        world.writer.discovered({ namespace: "agents", name: read, uid: `uid-${read}` }, [found], CARDS);
      }
      const last = Math.min(edited, EDITS - 1);
      const late = Math.min(Math.floor((time - acks) / PACE), EDITS - 1);
      world.ack({ near: first + last, far: first + late });
      await settle();
      await settle();
      clock.advance(PACE);
      await settle();
    }
  };
  for (const generation of [1, 2]) {
    world.writes.length = 0;
    await round(generation);
    expect(world.writes.map(({ name }) => name).sort()).toEqual(names.toSorted());
    for (const { status } of world.writes) {
      expect(status.observedGeneration).toBe(generation);
      expect(conditionsOf(status)).toMatchObject({ Programmed: "True Programmed", Discovered: "True CardsRead" });
    }
  }
});
