import type { Spec } from "../spec/index.ts";

type Network = Spec["networks"][string];

/** A network that promises its services no way out. */
export const isIsolated = (network: Network): boolean =>
  network.internal || network.isolation === "no-outbound" || network.isolation === "gateway-only";

/** A network that gives its services a way out. */
export const hasWayOut = (network: Network): boolean => !isIsolated(network) && network.driver !== "none";

/** What makes the network an isolated one, as typed. */
export const promiseOf = (network: Network): string =>
  network.isolation === "none" ? "internal: true" : `isolation: ${network.isolation}`;
