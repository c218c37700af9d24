/**
 * Render: a deployment as files, one folder a target; targets never import each other. Pure: writing, comparing and
 * deleting files is the business of the command. Never here: the spec, files, processes, clocks.
 */
export { TARGET_NAMES } from "./artifact.ts";
export type { Artifact, Rendered, TargetName } from "./artifact.ts";
export { entryOf, MANIFEST, manifestText, parseManifest } from "./manifest.ts";
export type { ManifestEntry } from "./manifest.ts";
export { engineObjects } from "./kubernetes/engine-objects.ts";
export { clusterManifests } from "./kubernetes/index.ts";
export type { ClusterManifests } from "./kubernetes/index.ts";
export { renderNode, sha256 } from "./render-node.ts";
export type { RenderedFile, RenderedNode } from "./render-node.ts";
export { isTriton, tritonRepository } from "./triton-repository/index.ts";
export { TARGETS } from "./targets.ts";
