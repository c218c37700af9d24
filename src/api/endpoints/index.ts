/**
 * What answers each operation of `/api`: a function for each part of the contract, from what it depends on to the paths of
 * the gateway. Answers are typed by the contract; bodies and queries are read by its schemas.
 * Never here: what a service, plan or key is, and which parts a node has; the command line puts them together.
 */
export { historyEndpoints } from "./history-endpoints.ts";
export { keyEndpoints } from "./keys/key-endpoints.ts";
export type { KeyDesk } from "./keys/key-desk.ts";
export { mcpEndpoints } from "./mcp/mcp-endpoints.ts";
export { openApiEndpoint } from "./openapi-endpoint.ts";
export { serviceEndpoints } from "./service-endpoints.ts";
export { runbookEndpoints } from "./runbooks/runbook-endpoints.ts";
export { planEndpoints } from "./plan/plan-endpoints.ts";
export type { PlanDesk } from "./plan/plan-endpoints.ts";
export { sessionEndpoint } from "./session.ts";
