import type { Answer } from "../../../../src/api/contract/index.ts";

export type RunningPlan = Answer<"GET /api/plan">;
export type Plan = RunningPlan["plan"];
export type PlannedService = Plan["services"][number];
export type Rejection = Plan["rejected"][number];
export type LedgerDevice = NonNullable<Plan["ledger"]>[number];
export type MemoryTerms = PlannedService["memory"][number];
export type Measured = RunningPlan["measured"][number];
export type Tried = Answer<"POST /api/plan/try">;
