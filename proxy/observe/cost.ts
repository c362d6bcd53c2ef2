// What a request costs. In: prices as decimal strings. Out: a decimal string, exact: no binary fractions.

const decimal = /^(-?)([0-9]{1,30})(?:\.([0-9]{1,30}))?$/;

/** The sum of two decimal strings, without trailing zeros after the point: "0.1" and "0.20" are "0.3". Undefined: not decimals. */
export function addDecimals(a: string, b: string): string | undefined {
  const left = read(a);
  const right = read(b);
  if (left === undefined || right === undefined) return undefined;
  const scale = Math.max(left.scale, right.scale);
  return write(
    left.units * 10n ** BigInt(scale - left.scale) + right.units * 10n ** BigInt(scale - right.scale),
    scale,
  );
}

/**
 * The price of one request, as `pricing.perRequest` says, in its shortest form. Only what the agent answered is charged;
 * undefined: there is no price, or nothing to charge.
 */
export function costOf(pricePerRequest: string | undefined, answered: boolean): string | undefined {
  if (pricePerRequest === undefined || !answered) return undefined;
  return addDecimals(pricePerRequest, "0");
}

function read(text: string): { units: bigint; scale: number } | undefined {
  const match = decimal.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? "";
  return { units: BigInt(`${match[1] ?? ""}${match[2] ?? ""}${fraction}`), scale: fraction.length };
}

function write(units: bigint, scale: number): string {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}
