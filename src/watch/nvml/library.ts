import type { LibraryHandle } from "koffi";
import { optionalPart } from "../../core/index.ts";
import { NVML } from "./constants.ts";

type KoffiFunction = ReturnType<LibraryHandle["func"]>;

/** Handles are pointers, passed as numbers of their size; a buffer stands for whatever struct is filled or read. */
type Argument = bigint | number | Buffer;

const HANDLE = "uint64_t";
const ARGUMENTS = {
  nvmlInit_v2: [],
  nvmlShutdown: [],
  nvmlDeviceGetCount_v2: ["void *"],
  nvmlDeviceGetHandleByIndex_v2: ["unsigned int", "void *"],
  nvmlDeviceGetUUID: [HANDLE, "void *", "unsigned int"],
  nvmlDeviceGetName: [HANDLE, "void *", "unsigned int"],
  nvmlDeviceGetPciInfo_v3: [HANDLE, "void *"],
  nvmlDeviceGetMemoryInfo_v2: [HANDLE, "void *"],
  nvmlDeviceGetMemoryInfo: [HANDLE, "void *"],
  nvmlDeviceGetUtilizationRates: [HANDLE, "void *"],
  nvmlDeviceGetTemperature: [HANDLE, "int", "void *"],
  nvmlDeviceGetPowerUsage: [HANDLE, "void *"],
  nvmlDeviceGetEnforcedPowerLimit: [HANDLE, "void *"],
  nvmlDeviceGetCurrentClocksEventReasons: [HANDLE, "void *"],
  nvmlDeviceGetCurrentClocksThrottleReasons: [HANDLE, "void *"],
  nvmlDeviceGetTotalEccErrors: [HANDLE, "int", "int", "void *"],
  nvmlDeviceGetCurrPcieLinkGeneration: [HANDLE, "void *"],
  nvmlDeviceGetCurrPcieLinkWidth: [HANDLE, "void *"],
  nvmlDeviceGetComputeRunningProcesses_v3: [HANDLE, "void *", "void *"],
  nvmlDeviceGetGraphicsRunningProcesses_v3: [HANDLE, "void *", "void *"],
  nvmlDeviceGetFieldValues: [HANDLE, "int", "void *"],
  nvmlDeviceGetSupportedEventTypes: [HANDLE, "void *"],
  nvmlDeviceRegisterEvents: [HANDLE, HANDLE, HANDLE],
  nvmlEventSetCreate: ["void *"],
  nvmlEventSetFree: [HANDLE],
} as const;
export type NvmlFunction = keyof typeof ARGUMENTS;

/** An event as the driver tells it; `device` is a handle. */
export interface NvmlEvent {
  readonly status: number;
  readonly device: bigint;
  readonly type: bigint;
  readonly data: number;
}

/** The library with the functions that this version of it has. */
export interface NvmlLibrary {
  /** What the function returns; `functionNotFound` where the library has none of that name. */
  call(name: NvmlFunction, ...args: readonly Argument[]): number;
  /** Waits for an event on another thread, at most `timeout` ms; `undefined` where the library has no events. */
  readonly wait: ((set: bigint, timeout: number) => Promise<NvmlEvent>) | undefined;
}

/** Loads the library. Throws what koffi throws when there is none at that path, or none for this machine. */
export async function loadNvml(path: string): Promise<NvmlLibrary> {
  const { default: koffi } = await optionalPart("koffi", () => import("koffi"));
  const library = koffi.load(path);
  const functions = new Map<string, KoffiFunction>();
  for (const [name, args] of Object.entries(ARGUMENTS)) {
    try {
      functions.set(name, library.func(name, "int", [...args]));
    } catch {
      // An older library has fewer functions; what they tell is absent then.
    }
  }
  const event = koffi.struct({
    device: HANDLE,
    type: "uint64_t",
    data: "uint64_t",
    instance: "unsigned int",
    computeInstance: "unsigned int",
  });
  let wait: KoffiFunction | undefined;
  try {
    wait = library.func("nvmlEventSetWait_v2", "int", [
      HANDLE,
      koffi.out(koffi.pointer(event)),
      "unsigned int",
    ]);
  } catch {
    wait = undefined;
  }
  return {
    call: (name, ...args) => Number(functions.get(name)?.(...args) ?? NVML.functionNotFound),
    wait: wait === undefined ? undefined : (set, timeout) => waitFor(wait, set, timeout),
  };
}

function waitFor(wait: KoffiFunction, set: bigint, timeout: number): Promise<NvmlEvent> {
  const data: Record<string, unknown> = {};
  return new Promise((resolve) => {
    wait.async(set, data, timeout, (error: unknown, status: unknown) => {
      resolve({
        status: error === null || error === undefined ? Number(status) : NVML.unknown,
        device: whole(data["device"]),
        type: whole(data["type"]),
        data: Number(whole(data["data"])),
      });
    });
  });
}

/** koffi gives what a number holds exactly as one, and anything larger as a BigInt. */
const whole = (value: unknown): bigint =>
  typeof value === "bigint" ? value : typeof value === "number" ? BigInt(value) : 0n;
