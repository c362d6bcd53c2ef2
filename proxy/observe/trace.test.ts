import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Sampling, createTracer, parseTraceparent } from "./trace.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("parseTraceparent", () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, 1],
    [`00-${TRACE}-${SPAN}-00`, 0],
    [`00-${TRACE}-${SPAN}-ff`, 255],
    [`01-${TRACE}-${SPAN}-01`, 1],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, 1],
    [`cc-${TRACE}-${SPAN}-01-`, 1],
  ])("reads %s", (header, flags) => {
    expect(parseTraceparent(header)).toEqual({ traceId: TRACE, parentId: SPAN, flags });
  });

  test.each([
    undefined,
    "",
    "garbage",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-01-extra`,
    `00-${TRACE}-${SPAN}-01 `,
    ` 00-${TRACE}-${SPAN}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `0-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01.what`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN.toUpperCase()}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.slice(1)}g-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0x`,
    `00_${TRACE}_${SPAN}_01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01-${"x".repeat(600)}`,
  ])("refuses %s", (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  test("refuses several headers", () => {
    expect(parseTraceparent([`00-${TRACE}-${SPAN}-01`])).toBeUndefined();
  });

  test("reads what is written by the specification, and only that", () => {
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
    fc.assert(
      fc.property(hex(2), hex(32), hex(16), hex(2), (version, trace, span, flags) => {
        const valid = version !== "ff" && !/^0+$/.test(trace) && !/^0+$/.test(span);
        expect(parseTraceparent(`${version}-${trace}-${span}-${flags}`)).toEqual(
          valid ? { traceId: trace, parentId: span, flags: Number.parseInt(flags, 16) } : undefined,
        );
      }),
    );
  });
});

describe("the tracer", () => {
  /** Counts up: every byte differs from its neighbours. */
  const counting = () => {
    let next = 1;
    return (buffer: Uint8Array) => {
      for (let at = 0; at < buffer.length; at++) buffer[at] = next++ % 256;
    };
  };

  test("goes on with a client's trace under a span of its own", () => {
    expect(createTracer(counting()).next(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceId: TRACE,
      traceparent: `00-${TRACE}-0102030405060708-01`,
      continued: true,
      sampled: true,
      spans: undefined,
    });
  });

  test.each([
    ["00", "00"],
    ["02", "02"],
    ["03", "03"],
    ["ff", "03"],
    ["fc", "00"],
  ])("keeps of the flags %s what it knows: %s", (given, kept) => {
    expect(createTracer(counting()).next(`00-${TRACE}-${SPAN}-${given}`).traceparent.slice(-2)).toBe(kept);
  });

  test("speaks version 00, whatever the client speaks", () => {
    const { traceparent } = createTracer(counting()).next(`cc-${TRACE}-${SPAN}-01-more`);
    expect(traceparent).toBe(`00-${TRACE}-0102030405060708-01`);
  });

  test("begins a trace where there is none, or a broken one", () => {
    const tracer = createTracer(counting());
    expect(tracer.next(undefined)).toEqual({
      traceId: "0102030405060708090a0b0c0d0e0f10",
      traceparent: "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-02",
      continued: false,
      sampled: false,
      spans: undefined,
    });
    expect(tracer.next("broken").continued).toBe(false);
  });

  test("draws random bytes in blocks and never uses one twice", () => {
    let fills = 0;
    const fill = counting();
    const tracer = createTracer((buffer) => {
      fills++;
      fill(buffer);
      buffer[0] = fills;
    });
    for (let request = 0; request < 170; request++) tracer.next(undefined);
    expect(fills).toBe(1);
    tracer.next(undefined);
    expect(fills).toBe(2);
  });

  test("makes valid contexts, even of a source that gives zeros", () => {
    const zeros = createTracer((buffer) => buffer.fill(0));
    fc.assert(
      fc.property(fc.option(fc.string(), { nil: undefined }), (header) => {
        const context = zeros.next(header);
        expect(parseTraceparent(context.traceparent)?.traceId).toBe(context.traceId);
      }),
    );
  });

  test("records a client's trace with two spans, of which the agent's parent is the second", () => {
    const tracer = createTracer(counting(), { parentBased: true, ratio: 0 });
    expect(tracer.next(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceId: TRACE,
      traceparent: `00-${TRACE}-0102030405060708-01`,
      continued: true,
      sampled: true,
      spans: { server: "090a0b0c0d0e0f10", parent: SPAN, upstream: "0102030405060708" },
    });
    expect(tracer.next(`00-${TRACE}-${SPAN}-00`).spans).toBeUndefined();
    expect(tracer.next(undefined).spans).toBeUndefined();
  });

  test("samples a share of what begins here, and of all when the client's decision does not count", () => {
    const random = (seed: number) => (buffer: Uint8Array) => {
      for (let at = 0; at < buffer.length; at++) buffer[at] = (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) >> 16;
    };
    const share = (sampling: Sampling, header?: string): number => {
      const tracer = createTracer(random(7), sampling);
      let sampled = 0;
      for (let at = 0; at < 4000; at++) if (tracer.next(header).sampled) sampled++;
      return sampled / 4000;
    };
    expect(share({ parentBased: true, ratio: 0.1 })).toBeCloseTo(0.1, 1);
    expect(share({ parentBased: true, ratio: 1 })).toBe(1);
    expect(share({ parentBased: true, ratio: 0 })).toBe(0);
    expect(share({ parentBased: true, ratio: 0 }, `00-${TRACE}-${SPAN}-01`)).toBe(1);
    expect(share({ parentBased: false, ratio: 1 }, `00-${TRACE}-${SPAN}-00`)).toBe(1);
    expect(share({ parentBased: false, ratio: 0 }, `00-${TRACE}-${SPAN}-01`)).toBe(0);
  });
});
