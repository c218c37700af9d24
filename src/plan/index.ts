/**
 * Plan: from the spec, the models and the machine to a frozen `Plan` in which everything is decided, refusals with
 * their arithmetic included. Never here: reading files, starting anything, or anything about HTTP.
 */
export { correctionOn, correctionsFor, fillsShare } from "./learned.ts";
export type { Learned } from "./learned.ts";
export type { Plan } from "./plan.ts";
export { planNode } from "./plan-node.ts";
export type { PlanInput } from "./plan-node.ts";
