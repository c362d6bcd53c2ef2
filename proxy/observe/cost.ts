// What a request costs. In: prices as decimal strings, time and usage. Out: a decimal string, exact: no binary fractions.
import type { AgentRow } from "../table/contract.ts";

const decimal = /^(-?)([0-9]{1,30})(?:\.([0-9]{1,30}))?$/;

/** What a figure is made of: parts of the price that were applied, joined with `+`. `usage` is missing when the agent told none. */
export type CostSource = string;

export interface Cost {
  /** Decimal string in its shortest form. */
  readonly amount: string;
  readonly source: CostSource;
}

interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** The sum of two decimal strings, without trailing zeros after the point: "0.1" and "0.20" are "0.3". Undefined: not decimals. */
export function addDecimals(a: string, b: string): string | undefined {
  const left = read(a);
  const right = read(b);
  return left === undefined || right === undefined ? undefined : write(add(left, right));
}

/** The product of two decimal strings, in the same form. */
export function multiplyDecimals(a: string, b: string): string | undefined {
  const left = read(a);
  const right = read(b);
  return left === undefined || right === undefined ? undefined : write(multiply(left, right));
}

/**
 * What an answered request costs: per request, per second (of its whole time, to the microsecond) and by usage. Undefined: the agent has
 * no price, or only prices by usage and told none.
 *
 * @param latency milliseconds
 * @param usage figures by unit, as decimal strings
 */
export function costOf(
  row: Pick<AgentRow, "pricePerRequest" | "pricePerSecond" | "usagePrices">,
  latency: number,
  usage: ReadonlyMap<string, string> | undefined,
): Cost | undefined {
  const sources: string[] = [];
  let sum: Decimal = { units: 0n, scale: 0 };
  const charge = (source: string, price: string, amount: Decimal | undefined): void => {
    const read_ = read(price);
    if (read_ === undefined || amount === undefined) return;
    sum = add(sum, multiply(read_, amount));
    if (!sources.includes(source)) sources.push(source);
  };
  if (row.pricePerRequest !== undefined) charge("request", row.pricePerRequest, ONE);
  if (row.pricePerSecond !== undefined) charge("time", row.pricePerSecond, microseconds(latency));
  for (const { unit, price } of row.usagePrices ?? []) charge("usage", price, read(usage?.get(unit) ?? ""));
  return sources.length === 0 ? undefined : { amount: write(sum), source: sources.join("+") };
}

const ONE: Decimal = { units: 1n, scale: 0 };

const microseconds = (latency: number): Decimal => ({
  units: BigInt(Math.max(0, Math.round(latency * 1000))),
  scale: 6,
});

function add(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return {
    units: left.units * 10n ** BigInt(scale - left.scale) + right.units * 10n ** BigInt(scale - right.scale),
    scale,
  };
}

const multiply = (left: Decimal, right: Decimal): Decimal => ({
  units: left.units * right.units,
  scale: left.scale + right.scale,
});

function read(text: string): Decimal | undefined {
  const match = decimal.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? "";
  return { units: BigInt(`${match[1] ?? ""}${match[2] ?? ""}${fraction}`), scale: fraction.length };
}

function write({ units, scale }: Decimal): string {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** A sum that many amounts are added to: exact, however many. What is no decimal adds nothing. */
export interface DecimalSum {
  add(amount: string): void;
  text(): string;
}

export function createDecimalSum(): DecimalSum {
  let sum: Decimal = { units: 0n, scale: 0 };
  // Most requests of an agent cost the same.
  let last = "";
  let times = 0;

  function addLast(): void {
    const amount = times === 0 ? undefined : read(last);
    if (amount !== undefined) sum = add(sum, { ...amount, units: amount.units * BigInt(times) });
    times = 0;
  }

  return {
    add(amount) {
      if (amount !== last) {
        addLast();
        last = amount;
      }
      times++;
    },
    text() {
      addLast();
      return write(sum);
    },
  };
}
