/**
 * Steps that bring models onto machines: here by Omni's own downloads, on a host reached by SSH by the program that Jobs
 * of a cluster run. Downloads that a Job of a cluster does are not made here.
 */
export { modelSteps } from "./model-steps.ts";
