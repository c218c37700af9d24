/**
 * The typed API of a node under `/api`: its contract, the OpenAPI document that follows from it, what answers each of its
 * operations, the one stream of changes, and the files of the console.
 * Never here: a decision about services, plans or keys; those are asked of the rooms that make them.
 */
export { OPERATIONS } from "./contract/index.ts";
export { openApiDocument } from "./openapi.ts";
export type { Answer } from "./contract/index.ts";
