import { MIB, present } from "../../core/index.ts";
import { smiNumber, smiUuid, smiValue } from "../../inventory/nvidia-smi.ts";
import { pciAddressOf } from "../../inventory/pci-address.ts";
import type { CardSample, LostCard } from "../card-sample.ts";
import { throttleReasons } from "../throttle-reasons.ts";

/** Fields of `--query-gpu` that the watch reads. Source: nvidia-smi --help-query-gpu. */
export const WATCH_FIELDS = [
  "uuid",
  "pci.bus_id",
  "name",
  "memory.total",
  "memory.used",
  "memory.free",
  "memory.reserved",
  "utilization.gpu",
  "temperature.gpu",
  "temperature.memory",
  "power.draw",
  "enforced.power.limit",
  "clocks_event_reasons.active",
  "clocks_throttle_reasons.active",
  "ecc.errors.uncorrected.volatile.total",
  "pcie.link.gen.current",
  "pcie.link.width.current",
] as const;
export type WatchField = (typeof WATCH_FIELDS)[number];

/** What every driver answers, for when a refusal does not say which field it means. */
export const ESSENTIAL_FIELDS: ReadonlySet<WatchField> = new Set([
  "uuid",
  "pci.bus_id",
  "name",
  "memory.total",
  "memory.used",
  "utilization.gpu",
  "temperature.gpu",
]);

/** The old name of the reasons; it goes along only where the new one is not known. */
const OLD_REASONS: WatchField = "clocks_throttle_reasons.active";
export const FIRST_FIELDS: readonly WatchField[] = WATCH_FIELDS.filter((field) => field !== OLD_REASONS);

/** The fields with the old name of what was refused under its new one. */
export function withOldNames(
  before: readonly WatchField[],
  after: readonly WatchField[],
): readonly WatchField[] {
  const refused = (field: WatchField): boolean => before.includes(field) && !after.includes(field);
  return refused("clocks_event_reasons.active") && !before.includes(OLD_REASONS)
    ? [...after, OLD_REASONS]
    : after;
}

/** A line of CSV: a card, one that is lost, or nothing about a card. */
export function readSmiLine(
  line: string,
  fields: readonly WatchField[],
): { readonly card: CardSample } | { readonly lost: LostCard } | undefined {
  const told = lostInWords(line);
  if (told !== undefined) return { lost: told };
  const values = line.split(",").map((part) => part.trim());
  if (values.length !== fields.length) return undefined;
  const raw = (field: WatchField): string => values[fields.indexOf(field)] ?? "";
  const text = (field: WatchField): string | undefined => smiValue(raw(field));
  const number = (field: WatchField): number | undefined => {
    const value = text(field);
    return value === undefined ? undefined : smiNumber(value);
  };
  const uuid = smiUuid(raw("uuid"));
  const pci = pciAddressOf(raw("pci.bus_id"));
  if (values.some((value) => /GPU is lost/i.test(value)) && (uuid !== undefined || pci !== undefined))
    return { lost: { ...present({ uuid, pci }), reason: "nvidia-smi: GPU is lost" } };
  if (uuid === undefined) return undefined;
  const bytes = (field: WatchField): number | undefined => {
    const amount = number(field);
    return amount === undefined ? undefined : Math.round(amount * MIB);
  };
  const utilization = number("utilization.gpu");
  const reasons = text("clocks_event_reasons.active") ?? text(OLD_REASONS);
  const generation = number("pcie.link.gen.current");
  const lanes = number("pcie.link.width.current");
  const total = bytes("memory.total");
  const used = bytes("memory.used");
  const free = bytes("memory.free") ?? (total === undefined || used === undefined ? undefined : total - used);
  return {
    card: {
      uuid,
      name: (text("name") ?? "NVIDIA GPU").slice(0, 120),
      ...present({
        pci,
        memoryTotal: total,
        memoryUsed: used,
        memoryFree: free,
        memoryReserved: bytes("memory.reserved"),
        utilization: utilization === undefined ? undefined : utilization / 100,
        temperature: number("temperature.gpu"),
        memoryTemperature: number("temperature.memory"),
        power: number("power.draw"),
        powerLimit: number("enforced.power.limit"),
        throttled:
          reasons === undefined || !/^0x[0-9a-f]{1,16}$/i.test(reasons)
            ? undefined
            : throttleReasons(BigInt(reasons)),
        eccErrors: number("ecc.errors.uncorrected.volatile.total"),
        link: generation && lanes ? { generation, lanes } : undefined,
      }),
    },
  };
}

/**
 * `Unable to determine the device handle for GPU 0000:0B:00.0: Unknown Error`, with or without a blank before the
 * address. Sources: NVIDIA/open-gpu-kernel-modules#387, meta-llama/llama-models#200.
 */
function lostInWords(line: string): LostCard | undefined {
  const match =
    /Unable to (?:determine|detect) the device handle for (?:gpu\s*)?([0-9a-f:.]+?):\s+(.+)$/i.exec(line);
  const pci = pciAddressOf(match?.[1] ?? "");
  return match === null || pci === undefined
    ? undefined
    : { pci, reason: `nvidia-smi: ${(match[2] ?? "").trim().slice(0, 200)}` };
}

/** Rows of `--query-compute-apps=gpu_uuid,pid,used_memory`: what each process holds, by card. */
export function readHolderLines(
  lines: readonly string[],
): ReadonlyMap<string, readonly { readonly pid: number; readonly bytes: number }[]> {
  const holders = new Map<string, { pid: number; bytes: number }[]>();
  for (const line of lines) {
    const [uuid = "", pid = "", used = ""] = line.split(",").map((part) => part.trim());
    const bytes = smiNumber(used);
    if (smiUuid(uuid) === undefined || !/^\d{1,9}$/.test(pid) || bytes === undefined) continue;
    const list = holders.get(uuid) ?? [];
    holders.set(uuid, [...list, { pid: Number(pid), bytes: Math.round(bytes * MIB) }]);
  }
  return holders;
}
