import { z } from "zod";

/** What the program that holds the library is asked: a look, with what changes slowly or without. */
export const askSchema = z.strictObject({ id: z.number(), all: z.boolean() });
export type Ask = z.output<typeof askSchema>;

const card = z.strictObject({
  uuid: z.string(),
  name: z.string(),
  pci: z.string().exactOptional(),
  memoryTotal: z.number().exactOptional(),
  memoryUsed: z.number().exactOptional(),
  memoryFree: z.number().exactOptional(),
  memoryReserved: z.number().exactOptional(),
  utilization: z.number().exactOptional(),
  temperature: z.number().exactOptional(),
  memoryTemperature: z.number().exactOptional(),
  power: z.number().exactOptional(),
  powerLimit: z.number().exactOptional(),
  throttled: z
    .array(z.enum(["power-cap", "hardware-slowdown", "software-thermal", "hardware-thermal", "power-brake"]))
    .readonly()
    .exactOptional(),
  eccErrors: z.number().exactOptional(),
  link: z.strictObject({ generation: z.number(), lanes: z.number() }).exactOptional(),
  recovery: z.enum(["reset", "reboot", "drain", "drain-and-reset"]).exactOptional(),
  holders: z
    .array(z.strictObject({ pid: z.number(), bytes: z.number() }))
    .readonly()
    .exactOptional(),
});

/** What it tells. */
export const tellSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("ready"), events: z.boolean() }),
  z.strictObject({ kind: z.literal("unavailable"), reason: z.string() }),
  z.strictObject({
    kind: z.literal("look"),
    id: z.number(),
    cards: z.array(card),
    lost: z.array(
      z.strictObject({
        uuid: z.string().exactOptional(),
        pci: z.string().exactOptional(),
        reason: z.string(),
      }),
    ),
  }),
  z.strictObject({
    kind: z.literal("xid"),
    uuid: z.string().exactOptional(),
    pci: z.string().exactOptional(),
    xid: z.number(),
    count: z.number(),
  }),
  /** Something about the cards has changed: it is worth a look at once. */
  z.strictObject({ kind: z.literal("changed") }),
]);
export type Tell = z.output<typeof tellSchema>;
