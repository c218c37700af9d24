/** Bytes as a Kubernetes quantity, rounded up to whole MiB so that a request never loses a byte. */
export const memoryQuantity = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)}Mi`;

/** Thousandths of a CPU as a quantity. */
export const cpuQuantity = (millicores: number): string =>
  millicores % 1000 === 0 ? `${millicores / 1000}` : `${millicores}m`;

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a quantity stands for; nothing where Kubernetes would refuse it. Source: apimachinery pkg/api/resource. */
export function quantityOf(text: string | number): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(n|u|m|k|[MGTPE]|[KMGTPE]i))?$/.exec(`${text}`);
  if (match === null) return undefined;
  const [, number = "", exponent = "", suffix = ""] = match;
  const factor = FACTORS[suffix];
  return factor === undefined ? undefined : Number(`${number}${exponent}`) * factor;
}
