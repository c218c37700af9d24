const FACTORS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1e3],
  ["M", 1e6],
  ["G", 1e9],
  ["T", 1e12],
  ["Ki", 2 ** 10],
  ["Mi", 2 ** 20],
  ["Gi", 2 ** 30],
  ["Ti", 2 ** 40],
]);

/** Bytes of a quantity as Kubernetes writes memory, `48Gi`; nothing for what is none. */
export function quantityBytes(quantity: string | number | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kMGT]?|[KMGT]i)$/.exec(String(quantity ?? "").trim());
  const factor = FACTORS.get(match?.[2] ?? "");
  return match === null || factor === undefined ? undefined : Math.round(Number(match[1]) * factor);
}
