// Sizes as Kubernetes writes them. In: `10Mi`, `500k`, `1048576`. Out: bytes.

const FACTORS: Readonly<Record<string, bigint>> = {
  "": 1n,
  k: 1_000n,
  M: 1_000_000n,
  G: 1_000_000_000n,
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
};

/** Bytes of a quantity without fraction, sign or exponent; undefined when it is none. */
export function parseQuantity(text: string): bigint | undefined {
  const parts = /^([0-9]{1,20})(k|M|G|Ki|Mi|Gi)?$/.exec(text);
  const factor = FACTORS[parts?.[2] ?? ""];
  return parts?.[1] === undefined || factor === undefined ? undefined : BigInt(parts[1]) * factor;
}
