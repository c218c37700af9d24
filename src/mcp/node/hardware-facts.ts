import { z } from "zod";

const optional = z.number().optional();

const CARD = z.object({
  uuid: z.string(),
  name: z.string(),
  index: z.number(),
  lost: z.object({ since: z.number(), reason: z.string() }).optional(),
  memoryTotal: optional,
  memoryUsed: optional,
  memoryFree: optional,
  utilization: optional,
  temperature: optional,
  memoryTemperature: optional,
  power: optional,
  powerLimit: optional,
  throttled: z.array(z.string()).optional(),
  eccErrors: optional,
  recovery: z.string().optional(),
  lastXid: optional,
  asOf: optional,
});

const PRESSURE = z.object({ some: z.number(), full: z.number() }).optional();

const READING = z.object({
  time: z.number(),
  cards: z.array(CARD),
  host: z.object({
    memoryTotal: z.number(),
    memoryAvailable: z.number(),
    swapUsed: optional,
    pressure: z.object({ cpu: PRESSURE, memory: PRESSURE, io: PRESSURE }).optional(),
  }),
});

const HARDWARE = z.object({
  source: z.string(),
  reading: READING.nullable(),
  notes: z.array(z.unknown()).optional(),
});

export type HardwareFacts = z.output<typeof HARDWARE>;
export type CardFacts = z.output<typeof CARD>;
export type HostFacts = z.output<typeof READING>["host"];

/** What the tools tell of cards and machine. Processes that hold memory are left out. Throws zod's error for anything else. */
export const hardwareFacts = (hardware: unknown): HardwareFacts => HARDWARE.parse(hardware);
