/**
 * Render: a deployment as files, one folder a target; targets never import each other. Pure: writing, comparing and
 * deleting files is the business of the command. Never here: the spec, files, processes, clocks.
 */
export { TARGET_NAMES } from "./artifact.ts";
export type { Artifact, Rendered, Target, TargetName } from "./artifact.ts";
