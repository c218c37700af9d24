import { z } from "zod";

const TERMS = z.object({
  device: z.string(),
  weights: z.number(),
  kvCache: z.number(),
  compute: z.number(),
  overhead: z.number(),
  total: z.number(),
  capacity: z.number(),
});

const RUNG = z.object({
  step: z.string(),
  change: z.string(),
  frees: z.array(z.object({ device: z.string(), bytes: z.number() })),
  noEffect: z.string().optional(),
});

const SERVICE = z.object({
  name: z.string(),
  engine: z.object({ name: z.string(), version: z.string().optional() }),
  model: z.object({ name: z.string() }),
  devices: z.array(z.string()),
  contextTokens: z.number(),
  parallel: z.number(),
  band: z.string().optional(),
  memory: z.array(TERMS),
  fallbacks: z.array(z.string()).optional(),
  ladder: z.array(RUNG).optional(),
  reasons: z.array(z.string()).optional(),
});

const REJECTION = z.object({
  service: z.string(),
  engine: z.string(),
  model: z.string(),
  devices: z.array(z.string()),
  code: z.string(),
  reason: z.string(),
  hint: z.string(),
});

const PLAN = z.object({
  services: z.array(SERVICE),
  rejected: z.array(REJECTION),
  swapSets: z
    .array(
      z.object({
        name: z.string(),
        devices: z.array(z.string()),
        services: z.array(z.string()),
        standing: z.string(),
      }),
    )
    .optional(),
  ledger: z
    .array(
      z.object({
        device: z.string(),
        kind: z.string(),
        label: z.string(),
        capacity: z.number(),
        headroom: z.number(),
        free: z.number(),
      }),
    )
    .optional(),
});

export type PlanFacts = z.output<typeof PLAN>;
export type PlannedFacts = PlanFacts["services"][number];
export type RejectedFacts = PlanFacts["rejected"][number];

/** What the tools tell of a plan; the rest of it is in the resource. Throws zod's error for what is no plan. */
export const planFacts = (plan: unknown): PlanFacts => PLAN.parse(plan);
