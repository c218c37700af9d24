import type { Sourced } from "./fact.ts";

/** A card as its PCI device id tells it, without any driver. */
interface PciGpu extends Sourced {
  /** Vendor and device, `10de:2b85`. */
  readonly id: string;
  /** Catalog names of the cards that bear the id: one, or several that differ in memory alone. */
  readonly models: readonly string[];
}

const NVIDIA = "10de";

/** Device ids by catalog name. An id under two names is borne by both; which of them a card is, its memory tells. */
const IDS: Readonly<Record<string, string>> = {
  "RTX PRO 6000 Blackwell": "2bb1 2bb4 2bb5",
  "RTX PRO 4500 Blackwell": "2c31",
  "RTX PRO 4000 Blackwell": "2c34",
  "RTX 5090": "2b85",
  "RTX 5090 Laptop": "2c18 2c58",
  "RTX 5080": "2c02",
  "RTX 5070 Ti": "2c05",
  "RTX 5070": "2f04",
  "RTX 5060 Ti 16GB": "2d04",
  "RTX 5060 Ti 8GB": "2d04",
  "RTX 5060": "2d05 2f06",
  "RTX 5050": "2d83",
  GB10: "2e12",
  B200: "2901",
  GB200: "2941",
  B300: "3182",
  GB300: "31c2 31c3",
  H200: "2335 233b",
  "H100 80GB": "2330 2331",
  "H100 NVL": "2321",
  "RTX 4090": "2684",
  "RTX 4090 D": "2685",
  "RTX 4080 SUPER": "2702 2703",
  "RTX 4080": "2704",
  "RTX 4070 Ti SUPER": "2705 2689",
  "RTX 4070 Ti": "2782",
  "RTX 4070 SUPER": "2783",
  "RTX 4070": "2786 2709",
  "RTX 4060 Ti 16GB": "2805",
  "RTX 4060 Ti": "2803 2788",
  "RTX 4060": "2882 2808",
  "RTX 6000 Ada": "26b1",
  "RTX 5000 Ada": "26b2",
  "RTX 4000 Ada": "27b0 27b2",
  L40S: "26b9",
  L40: "26b5",
  L20: "26b7 26ba",
  L4: "27b8",
  "RTX 3090 Ti": "2203",
  "RTX 3090": "2204",
  "RTX 3080 Ti": "2208",
  "RTX 3080 12GB": "220a",
  "RTX 3080": "2206 2216",
  "RTX 3070 Ti": "2207 2482 248c",
  "RTX 3070": "2484 2488 248d 24c8",
  "RTX 3060 Ti": "2414 2486 2489 248e 24c9",
  "RTX 3060": "2487 2501 2503 2504 2509 2544",
  "RTX 3060 8GB": "24c7",
  "RTX 3050": "2507 2582",
  "RTX A6000": "2230",
  "RTX A5000": "2231",
  "RTX A4000": "24b0",
  A40: "2235",
  A10: "2236 2237",
  A30: "20b7",
  "A100 40GB": "20b0 20b1 20f1",
  "A100 80GB": "20b2 20b5",
  T4: "1eb8",
  "RTX 2080 Ti": "1e04 1e07",
};

const SOURCE = { source: "https://pci-ids.ucw.cz (version 2026.08.22)", date: "2026-08-22" } as const;

function byId(): ReadonlyMap<string, PciGpu> {
  const models = new Map<string, string[]>();
  for (const [model, ids] of Object.entries(IDS))
    for (const device of ids.split(" ")) models.set(device, [...(models.get(device) ?? []), model]);
  return new Map(
    [...models].map(([device, names]) => {
      const id = `${NVIDIA}:${device}`;
      return [id, { id, models: names, ...SOURCE }];
    }),
  );
}

export const PCI_GPUS = byId();

/** The cards that bear this PCI id (`10de:2b85`, any case), or `undefined` when the catalog does not know it. */
export const findPciGpu = (id: string): PciGpu | undefined => PCI_GPUS.get(id.toLowerCase());
