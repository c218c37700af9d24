/** Numbers of NVML's interface. Source: nvml.h of CUDA 13 (NVIDIA/go-nvml, gen/nvml/nvml.h); none has ever changed. */
export const NVML = {
  success: 0,
  notSupported: 3,
  noPermission: 4,
  notFound: 6,
  insufficientSize: 7,
  driverNotLoaded: 9,
  timeout: 10,
  functionNotFound: 13,
  gpuIsLost: 15,
  resetRequired: 16,
  versionMismatch: 18,
  unknown: 999,
} as const;

/** `nvmlEventTypeXidCriticalError`; the two others are refused by drivers that do not know them. */
export const EVENT = { xid: 0x8n, unavailable: 0x4000n, recovery: 0x8000n } as const;

/** Field values that have no function of their own. */
export const FIELD = { memoryTemperature: 82, recoveryAction: 230 } as const;

/** `nvmlMemory_v2`: size of the struct and version 2 in the highest byte. */
export const MEMORY_V2 = 0x02000028;

const WORDS: ReadonlyMap<number, string> = new Map([
  [1, "the library was not initialized"],
  [3, "not supported"],
  [4, "no permission"],
  [6, "the card is not found any more"],
  [8, "the power cables are not properly attached"],
  [9, "the NVIDIA driver is not loaded"],
  [11, "the kernel found an interrupt problem with a card"],
  [12, "the library was not found"],
  [13, "the library is too old"],
  [14, "the infoROM is corrupted"],
  [15, "the card has fallen off the bus or is otherwise out of reach"],
  [16, "the card has to be reset before it can be used again"],
  [17, "the operating system blocks access to the card"],
  [18, "library and loaded driver have different versions; reboot or reload the driver's modules"],
  [23, "the driver is out of resources"],
  [29, "the card is in a state in which it cannot answer"],
  [999, "an unknown error of the driver"],
]);

/** What a return value means, in words. */
export const nvmlWords = (status: number): string => WORDS.get(status) ?? `error ${status}`;

/** Values after which a card does no work until somebody does something. */
export const isLost = (status: number): boolean =>
  status === NVML.gpuIsLost || status === NVML.notFound || status === NVML.resetRequired;
