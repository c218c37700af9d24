/**
 * Steps of the services on Docker and on plain hosts, and of their gateway: placed, started in order, and waited for until
 * each serves. Never here: services of a cluster, and what a file of a project looks like (render).
 */
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import { composeSteps } from "./compose-steps.ts";
import { nodeSteps } from "./node-step.ts";
import { systemdSteps } from "./systemd-steps.ts";

/** The steps of all services that run in no cluster; none where there is none. */
export const serviceSteps = (input: RunbookInput): readonly Step[] => [
  ...composeSteps(input),
  ...systemdSteps(input),
  ...nodeSteps(input),
];
