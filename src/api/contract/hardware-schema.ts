import { z } from "zod";
import { bytes, count, instant, listOf, share, text } from "./shapes.ts";

const pressure = z.object({ some: share, full: share });

/** A card at one moment: `CardReading` of the watch. */
const card = z
  .object({
    uuid: text,
    index: count,
    name: text,
    pci: text.exactOptional(),
    lost: z.object({ since: instant, reason: text }).exactOptional(),
    memoryTotal: bytes.exactOptional(),
    memoryUsed: bytes.exactOptional(),
    memoryFree: bytes.exactOptional(),
    memoryReserved: bytes.exactOptional(),
    utilization: share.exactOptional(),
    temperature: count.meta({ description: "degrees Celsius" }).exactOptional(),
    memoryTemperature: count.meta({ description: "degrees Celsius" }).exactOptional(),
    power: count.meta({ description: "watts" }).exactOptional(),
    powerLimit: count.meta({ description: "watts" }).exactOptional(),
    throttled: listOf(
      z.enum(["power-cap", "hardware-slowdown", "software-thermal", "hardware-thermal", "power-brake"]),
    ).exactOptional(),
    eccErrors: count.exactOptional(),
    link: z.object({ generation: count, lanes: count }).exactOptional(),
    recovery: z.enum(["reset", "reboot", "drain", "drain-and-reset"]).exactOptional(),
    lastXid: count.exactOptional(),
    holders: listOf(z.object({ pid: count, bytes })).exactOptional(),
    asOf: instant.exactOptional(),
  })
  .meta({ id: "Card" });

/** One look at cards and machine: `Reading` of the watch. */
const reading = z
  .object({
    time: instant,
    steady: count.exactOptional(),
    cards: listOf(card),
    host: z.object({
      memoryTotal: bytes,
      memoryAvailable: bytes,
      swapUsed: bytes.exactOptional(),
      pressure: z
        .object({
          cpu: pressure.exactOptional(),
          memory: pressure.exactOptional(),
          io: pressure.exactOptional(),
        })
        .exactOptional(),
      disks: listOf(z.object({ mount: text, size: bytes, free: bytes })),
    }),
  })
  .meta({ id: "Reading" });

export const hardware = z
  .object({
    source: z.enum(["nvml", "nvidia-smi", "none"]),
    reading: reading.nullable(),
    notes: listOf(text),
    /** Names of the plan's devices for cards that were seen: `gpu-0` is `GPU-1f…`. */
    names: z.record(text, text).exactOptional(),
  })
  .meta({ id: "Hardware" });

const spread = z.object({ average: count, min: count, max: count });

/** A card over one step of its history. */
export const cardPoint = z
  .object({
    time: instant,
    looks: count,
    lost: count,
    throttled: count,
    memoryUsed: spread.exactOptional(),
    utilization: spread.exactOptional(),
    temperature: spread.exactOptional(),
    power: spread.exactOptional(),
  })
  .meta({ id: "CardPoint" });

/** The machine over one step of its history. */
export const hostPoint = z
  .object({
    time: instant,
    looks: count,
    memoryAvailable: spread.exactOptional(),
    swapUsed: spread.exactOptional(),
    cpuPressure: spread.exactOptional(),
    memoryPressure: spread.exactOptional(),
    ioPressure: spread.exactOptional(),
    diskFree: spread.exactOptional(),
  })
  .meta({ id: "HostPoint" });
