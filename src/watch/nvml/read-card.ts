import { present } from "../../core/index.ts";
import type { CardSample } from "../card-sample.ts";
import type { CardReading } from "../reading.ts";
import { throttleReasons } from "../throttle-reasons.ts";
import { FIELD, MEMORY_V2, NVML } from "./constants.ts";
import type { NvmlFunction, NvmlLibrary } from "./library.ts";

/** A card that the library gave a handle for. */
export interface AttachedCard {
  readonly handle: bigint;
  readonly uuid: string;
  readonly name: string;
  readonly pci?: string;
}

/** Structs are filled here one after the other: a look allocates nothing that it need not. */
const scratch = Buffer.alloc(4096);
/** Processes that a card is asked for at most; `nvmlProcessInfo_v2_t` has 24 bytes. */
const MOST_PROCESSES = 64;
const PROCESS_BYTES = 24;
const UNKNOWN_BYTES = 0xffff_ffff_ffff_ffffn;

/** What changes slowly, or costs the driver more to tell. */
export type SlowFigures = Pick<
  CardSample,
  "powerLimit" | "eccErrors" | "link" | "memoryTemperature" | "recovery" | "holders"
>;

/**
 * Everything the library tells of a card, or the status that its memory could not be read with. What changes slowly is
 * taken from `known` where that is given.
 */
export function readCard(
  library: NvmlLibrary,
  card: AttachedCard,
  known: SlowFigures | undefined,
): { readonly sample: CardSample; readonly slow: SlowFigures } | { readonly status: number } {
  const memory = readMemory(library, card.handle);
  if (memory.status !== NVML.success && memory.status !== NVML.notSupported) return { status: memory.status };
  const utilization = number(library, "nvmlDeviceGetUtilizationRates", card.handle);
  const power = number(library, "nvmlDeviceGetPowerUsage", card.handle);
  const reasons =
    wide(library, "nvmlDeviceGetCurrentClocksEventReasons", card.handle) ??
    wide(library, "nvmlDeviceGetCurrentClocksThrottleReasons", card.handle);
  const slow = known ?? readSlowly(library, card.handle);
  return {
    slow,
    sample: {
      uuid: card.uuid,
      name: card.name,
      ...present({
        pci: card.pci,
        ...memory.bytes,
        utilization: utilization === undefined ? undefined : utilization / 100,
        temperature: number(library, "nvmlDeviceGetTemperature", card.handle, 0),
        power: power === undefined ? undefined : power / 1000,
        throttled: reasons === undefined ? undefined : throttleReasons(reasons),
      }),
      ...slow,
    },
  };
}

function readSlowly(library: NvmlLibrary, handle: bigint): SlowFigures {
  const powerLimit = number(library, "nvmlDeviceGetEnforcedPowerLimit", handle);
  // Uncorrected, since the driver was loaded.
  const errors = wide(library, "nvmlDeviceGetTotalEccErrors", handle, 1, 0);
  const generation = number(library, "nvmlDeviceGetCurrPcieLinkGeneration", handle);
  const lanes = number(library, "nvmlDeviceGetCurrPcieLinkWidth", handle);
  return present({
    powerLimit: powerLimit === undefined ? undefined : powerLimit / 1000,
    eccErrors: errors === undefined ? undefined : Number(errors),
    link: generation && lanes ? { generation, lanes } : undefined,
    holders: readHolders(library, handle),
    ...readFields(library, handle),
  });
}

type Before = readonly number[];

function number(
  library: NvmlLibrary,
  name: NvmlFunction,
  handle: bigint,
  ...before: Before
): number | undefined {
  return library.call(name, handle, ...before, scratch) === NVML.success
    ? scratch.readUInt32LE(0)
    : undefined;
}

function wide(
  library: NvmlLibrary,
  name: NvmlFunction,
  handle: bigint,
  ...before: Before
): bigint | undefined {
  return library.call(name, handle, ...before, scratch) === NVML.success
    ? scratch.readBigUInt64LE(0)
    : undefined;
}

type MemoryBytes = Pick<CardReading, "memoryTotal" | "memoryUsed" | "memoryFree" | "memoryReserved">;

/** Version 2 tells what driver and firmware keep apart from what programs use; version 1 counts both as used. */
function readMemory(library: NvmlLibrary, handle: bigint): { status: number; bytes: MemoryBytes } {
  scratch.fill(0, 0, 40);
  scratch.writeUInt32LE(MEMORY_V2, 0);
  const status = library.call("nvmlDeviceGetMemoryInfo_v2", handle, scratch);
  const at = (offset: number): number => Number(scratch.readBigUInt64LE(offset));
  if (status === NVML.success)
    return {
      status,
      bytes: { memoryTotal: at(8), memoryReserved: at(16), memoryFree: at(24), memoryUsed: at(32) },
    };
  // 25: this version of the struct is not known.
  if (status !== NVML.functionNotFound && status !== 25) return { status, bytes: {} };
  const old = library.call("nvmlDeviceGetMemoryInfo", handle, scratch);
  if (old !== NVML.success) return { status: old, bytes: {} };
  return { status: old, bytes: { memoryTotal: at(0), memoryFree: at(8), memoryUsed: at(16) } };
}

/** Source: nvml.h, `nvmlGpuRecoveryAction_t`. */
const RECOVERIES: Readonly<Record<number, CardReading["recovery"]>> = {
  1: "reset",
  2: "reboot",
  3: "drain",
  4: "drain-and-reset",
};

/** `nvmlFieldValue_t`: 40 bytes, the result at 28 and the value at 32. */
function readFields(
  library: NvmlLibrary,
  handle: bigint,
): Pick<CardReading, "memoryTemperature" | "recovery"> {
  const fields = [FIELD.memoryTemperature, FIELD.recoveryAction];
  scratch.fill(0, 0, 40 * fields.length);
  for (const [i, id] of fields.entries()) scratch.writeUInt32LE(id, 40 * i);
  if (library.call("nvmlDeviceGetFieldValues", handle, fields.length, scratch) !== NVML.success) return {};
  const value = (i: number): number | undefined =>
    scratch.readUInt32LE(40 * i + 28) === NVML.success ? scratch.readUInt32LE(40 * i + 32) : undefined;
  const temperature = value(0);
  return present({
    // Cards without the sensor say 0.
    memoryTemperature: temperature === 0 ? undefined : temperature,
    recovery: RECOVERIES[value(1) ?? 0],
  });
}

/** What each process holds, computing or drawing; a process that does both is told twice and holds it once. */
function readHolders(library: NvmlLibrary, handle: bigint): CardReading["holders"] {
  const bytes = new Map<number, number>();
  let told = false;
  for (const name of [
    "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetGraphicsRunningProcesses_v3",
  ] as const) {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(MOST_PROCESSES, 0);
    if (library.call(name, handle, count, scratch) !== NVML.success) continue;
    told = true;
    for (let i = 0; i < Math.min(count.readUInt32LE(0), MOST_PROCESSES); i++) {
      const pid = scratch.readUInt32LE(PROCESS_BYTES * i);
      const held = scratch.readBigUInt64LE(PROCESS_BYTES * i + 8);
      if (held !== UNKNOWN_BYTES) bytes.set(pid, Math.max(bytes.get(pid) ?? 0, Number(held)));
    }
  }
  return told ? [...bytes].map(([pid, bytes]) => ({ pid, bytes })) : undefined;
}
