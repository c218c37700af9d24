/**
 * Steps of the last phase: what was deployed is asked as a client would ask it, and what it said is kept as evidence. Never
 * here: how something is measured (acceptance), and bringing anything about.
 */
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import { healthStep } from "./health-step.ts";
import { isolationSteps } from "./isolation-step.ts";
import { routeSteps } from "./route-step.ts";
import { toolsStep } from "./tools-step.ts";

/** Health first, then each route, each isolated service and the tools; none where `runbook.acceptance` is false. */
export const acceptanceSteps = (input: RunbookInput): readonly Step[] =>
  input.acceptance
    ? [healthStep(input), ...routeSteps(input), ...isolationSteps(input), ...toolsStep(input)]
    : [];
