import { z } from "zod";
import { shorthand } from "./scalars/shorthand.ts";
import { withFacts } from "./scalars/facts.ts";
import { labelName } from "./scalars/identities.ts";
import { amountOrShare, duration, temperature, tokens, whole } from "./scalars/quantities.ts";
import { DEFAULTS } from "./default-values.ts";

/** What a service can give up under memory pressure, in the words of the owner. */
const LADDER_STEPS = [
  "offload-kv-cache",
  "quantize-kv-cache",
  "reduce-parallel",
  "halve-context",
  "route-long-prompts",
  "offload-experts",
  "evict-others",
  "next-engine",
  "cpu-executor",
  "remote-fallback",
] as const;

const step = shorthand(
  z.enum(LADDER_STEPS),
  z.strictObject({
    step: z.enum(LADDER_STEPS).describe("What to give up."),
    to: labelName()
      .optional()
      .describe("Service that takes over (route-long-prompts, cpu-executor, remote-fallback)."),
    above: tokens().optional().describe("Prompts longer than this are routed away (route-long-prompts)."),
    floor: tokens().optional().describe("Least context to keep (halve-context)."),
    cacheType: z
      .enum(["q8_0", "q5_1", "q4_0", "fp8"])
      .optional()
      .describe("Type to quantize the cache to (quantize-kv-cache)."),
  }),
  (step) => ({ step }),
);

const steps = () =>
  withFacts(z.array(step).max(16), {
    expected: "a list of steps, or false",
    example: "[quantize-kv-cache, halve-context]",
  });

/** A contingency ladder: steps in the order they are taken; `false` switches it off. */
export const ladderSchema = () =>
  z.union([z.literal(false).transform((): z.output<typeof step>[] => []), steps()]);

/** How often and how patiently a failed engine is started again. */
export const restartSchema = () =>
  z.strictObject({
    restarts: whole(0, 1000, 5)
      .optional()
      .describe("Restarts allowed within the window; 0 never restarts.")
      .meta({ default: DEFAULTS.restart.restarts }),
    window: duration()
      .optional()
      .describe("Window of the budget.")
      .meta({ default: DEFAULTS.restart.window }),
    backoffMin: duration()
      .optional()
      .describe("First wait before a restart; doubles each time.")
      .meta({ default: DEFAULTS.restart.backoffMin }),
    backoffMax: duration()
      .optional()
      .describe("Longest wait before a restart.")
      .meta({ default: DEFAULTS.restart.backoffMax }),
  });

const headroom = z.strictObject({
  vram: amountOrShare()
    .optional()
    .describe("Kept free on every card.")
    .meta({ default: DEFAULTS.headroom.vram }),
  memory: amountOrShare()
    .optional()
    .describe("Kept free of main memory.")
    .meta({ default: DEFAULTS.headroom.memory }),
  disk: amountOrShare()
    .optional()
    .describe("Kept free on every disk that is written to.")
    .meta({ default: DEFAULTS.headroom.disk }),
});

const swap = z.strictObject({
  mode: z
    .enum(["auto", "off"])
    .optional()
    .describe("Share cards by turns when not all services fit together.")
    .meta({ default: DEFAULTS.swap.mode }),
  minResidency: duration()
    .optional()
    .describe("Least time a service stays loaded once it was.")
    .meta({ default: DEFAULTS.swap.minResidency }),
  ttl: withFacts(z.union([duration(), z.literal(false)]), {
    expected: "a duration with its unit, or false for never",
    example: "10m",
  })
    .optional()
    .describe("Idle time after which a service that shares a card is unloaded; false never.")
    .meta({ default: DEFAULTS.swap.ttl }),
  maxWait: duration()
    .optional()
    .describe("Longest a request waits for a model to load.")
    .meta({ default: DEFAULTS.swap.maxWait }),
});

const watch = z.strictObject({
  interval: duration()
    .optional()
    .describe("Time between two looks at the cards.")
    .meta({ default: DEFAULTS.watch.interval }),
  lowVram: amountOrShare()
    .optional()
    .describe("Free memory of a card below which the ladder steps down; the headroom when absent."),
  maxTemperature: temperature()
    .optional()
    .describe("Temperature at which a card counts as too hot.")
    .meta({ default: DEFAULTS.watch.maxTemperature }),
  coolDown: duration()
    .optional()
    .describe("Quiet time before the ladder climbs back up.")
    .meta({ default: DEFAULTS.watch.coolDown }),
  stall: duration()
    .optional()
    .describe("Time without a token, with work waiting, after which an engine counts as hung.")
    .meta({ default: DEFAULTS.watch.stall }),
});

/** What Omni may do by itself, and how much room it keeps. */
export const policiesSchema = z.strictObject({
  headroom: headroom.optional().describe("Room that plans leave free.").meta({ default: {} }),
  ladder: ladderSchema()
    .optional()
    .describe("Contingency ladder of services without one of their own.")
    .meta({ default: DEFAULTS.ladder }),
  restart: restartSchema()
    .optional()
    .describe("Restart budget of services without one of their own.")
    .meta({ default: {} }),
  swap: swap.optional().describe("Sharing cards by turns.").meta({ default: {} }),
  watch: watch.optional().describe("Watching the cards.").meta({ default: {} }),
  unpinnedImages: z
    .enum(["allow", "warn", "refuse"])
    .optional()
    .describe("Images without a fixed tag or digest.")
    .meta({ default: DEFAULTS.unpinnedImages }),
  learn: z
    .boolean()
    .optional()
    .describe("Correct predictions by what engines really took.")
    .meta({ default: DEFAULTS.learn }),
});
