import type { ThrottleReason } from "./reading.ts";

/** Source: nvml.h, `nvmlClocksEventReason…`. Idle and clocks that the owner set are no throttling. */
const BITS: readonly (readonly [bigint, ThrottleReason])[] = [
  [0x4n, "power-cap"],
  [0x8n, "hardware-slowdown"],
  [0x20n, "software-thermal"],
  [0x40n, "hardware-thermal"],
  [0x80n, "power-brake"],
];

/** Why clocks are held down, from the bits that the driver tells. */
export const throttleReasons = (bits: bigint): ThrottleReason[] =>
  BITS.filter(([bit]) => (bits & bit) !== 0n).map(([, reason]) => reason);
