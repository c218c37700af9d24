/**
 * Gateway: the one HTTP port of a node. It checks who may ask, reads which model is wanted, picks a service, forwards
 * the body and passes the answer on byte for byte, retries what died before the client saw a byte, and marks what was
 * cut after it. It learns about services only through the `Backends` interface; it never starts or stops an engine,
 * never prints, and knows no engine by name.
 */
export { createGateway } from "./gateway.ts";
export type { Gateway, GatewayChanges, GatewayInside, GatewayOptions } from "./gateway-options.ts";
export type { GatewayLimits } from "./limits.ts";
