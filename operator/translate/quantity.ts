// Kubernetes quantities of bytes. In: "10Mi", "512k" or a number. Out: bytes.

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** Whole bytes; undefined if it is none of the forms that the schema takes. */
export function parseQuantity(quantity: string | number): number | undefined {
  if (typeof quantity === "number") return Number.isSafeInteger(quantity) && quantity >= 0 ? quantity : undefined;
  const [, digits, unit] = /^(\d{1,10})(k|M|G|Ki|Mi|Gi)?$/.exec(quantity) ?? [];
  const factor = UNITS[unit ?? ""];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
