import { present } from "../../../core/index.ts";
import { smiLines, smiNumber, smiUuid, smiValue, withoutRefused } from "../../../inventory/nvidia-smi.ts";
import { pciAddressOf } from "../../../inventory/pci-address.ts";
import { throttleReasons } from "../../../watch/throttle-reasons.ts";
import type { HostView } from "../check.ts";
import { oncePerView } from "./once-per-view.ts";

/** What the driver tells of a card's health. Watts, degrees Celsius; what it does not tell is absent. */
export interface CardHealth {
  readonly pci: string;
  readonly uuid?: string;
  readonly persistence?: boolean;
  readonly temperature?: number;
  readonly powerLimit?: number;
  readonly maxPowerLimit?: number;
  readonly throttled?: ReturnType<typeof throttleReasons>;
  /** Errors that were found and could not be corrected: since the driver was loaded, and ever. */
  readonly uncorrected?: number;
  readonly uncorrectedEver?: number;
  readonly corrected?: number;
  /** Pages taken out of use wait for the next reset. */
  readonly pagesPending?: boolean;
  readonly rowsPending?: boolean;
  readonly rowsFailed?: boolean;
  readonly rowsRemapped?: number;
  /** Share of time that it computes, 0 to 1. */
  readonly busy?: number;
  readonly link: { readonly generation?: number; readonly maxGeneration?: number };
}

/** Source: nvidia-smi --help-query-gpu; the reasons had another name before driver 535. */
const FIELDS = [
  "pci.bus_id",
  "uuid",
  "persistence_mode",
  "temperature.gpu",
  "enforced.power.limit",
  "power.max_limit",
  "clocks_event_reasons.active",
  "ecc.errors.uncorrected.volatile.total",
  "ecc.errors.uncorrected.aggregate.total",
  "ecc.errors.corrected.aggregate.total",
  "retired_pages.pending",
  "utilization.gpu",
  "pcie.link.gen.current",
  "pcie.link.gen.max",
] as const;
type Field = (typeof FIELDS)[number];
const ESSENTIAL: ReadonlySet<Field> = new Set(["pci.bus_id", "uuid", "persistence_mode", "temperature.gpu"]);

/** Source: nvidia-smi --help-query-remapped-rows. */
const ROW_FIELDS = "gpu_bus_id,remapped_rows.uncorrectable,remapped_rows.pending,remapped_rows.failure";

/** Health of the cards that the driver has, by address; a sentence where nvidia-smi cannot tell, `undefined` without it. */
export const askCardHealth = oncePerView(
  async (view): Promise<ReadonlyMap<string, CardHealth> | string | undefined> => {
    let fields: readonly Field[] = FIELDS;
    for (;;) {
      const said = await view.said(
        ["nvidia-smi", `--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"],
        20_000,
      );
      if (!said.ended) return said.why === "absent" ? undefined : said.message;
      const rows = smiLines(said.stdout).flatMap((line) => readRow(line, fields) ?? []);
      const words = [...smiLines(said.stdout), ...smiLines(said.stderr)];
      const fewer = rows.length > 0 ? fields : withoutRefused(fields, words, ESSENTIAL);
      if (fewer.length < fields.length && fewer.length > 0) {
        fields = fewer;
        continue;
      }
      if (rows.length === 0) return words.slice(0, 2).join(" ") || "nvidia-smi printed no card";
      const remapped = await askRemappedRows(view);
      return new Map(rows.map((card) => [card.pci, { ...card, ...remapped.get(card.pci) }]));
    }
  },
);

function readRow(line: string, fields: readonly Field[]): CardHealth | undefined {
  const values = line.split(",").map((part) => part.trim());
  const text = (field: Field): string | undefined => smiValue(values[fields.indexOf(field)] ?? "");
  const number = (field: Field): number | undefined => smiNumber(text(field) ?? "");
  const pci = pciAddressOf(text("pci.bus_id") ?? "");
  if (pci === undefined || values.length !== fields.length) return undefined;
  const busy = number("utilization.gpu");
  const reasons = text("clocks_event_reasons.active") ?? "";
  return {
    pci,
    ...present({
      uuid: smiUuid(text("uuid") ?? ""),
      persistence: switchOf(text("persistence_mode")),
      temperature: number("temperature.gpu"),
      powerLimit: number("enforced.power.limit"),
      maxPowerLimit: number("power.max_limit"),
      throttled: /^0x[0-9a-f]{1,16}$/i.test(reasons) ? throttleReasons(BigInt(reasons)) : undefined,
      uncorrected: number("ecc.errors.uncorrected.volatile.total"),
      uncorrectedEver: number("ecc.errors.uncorrected.aggregate.total"),
      corrected: number("ecc.errors.corrected.aggregate.total"),
      pagesPending: switchOf(text("retired_pages.pending")),
      busy: busy === undefined ? undefined : busy / 100,
    }),
    link: present({
      generation: number("pcie.link.gen.current"),
      maxGeneration: number("pcie.link.gen.max"),
    }),
  };
}

const switchOf = (text: string | undefined): boolean | undefined =>
  text === undefined || !/^(?:Enabled|Disabled|Yes|No)$/.test(text)
    ? undefined
    : /^(?:Enabled|Yes)$/.test(text);

type Rows = Pick<CardHealth, "rowsPending" | "rowsFailed" | "rowsRemapped">;

/** Only cards with HBM or GDDR memory that can be remapped answer with numbers; the others say `[N/A]`. */
async function askRemappedRows(view: HostView): Promise<ReadonlyMap<string, Rows>> {
  const said = await view.said(
    ["nvidia-smi", `--query-remapped-rows=${ROW_FIELDS}`, "--format=csv,noheader,nounits"],
    20_000,
  );
  const lines = said.ended && said.code === 0 ? smiLines(said.stdout) : [];
  return new Map(
    lines.flatMap((line) => {
      const [bus = "", remapped = "", pending = "", failed = ""] = line.split(",").map((part) => part.trim());
      const pci = pciAddressOf(bus);
      if (pci === undefined) return [];
      const rows = present({
        rowsRemapped: smiNumber(remapped),
        rowsPending: flag(pending),
        rowsFailed: flag(failed),
      });
      return [[pci, rows] as const];
    }),
  );
}

const flag = (text: string): boolean | undefined => {
  const value = switchOf(text);
  const count = smiNumber(text);
  return value ?? (count === undefined ? undefined : count > 0);
};
