import { request } from "node:http";
import type { LocalAddress } from "../../core/address.ts";
import type { Fault } from "./fault.ts";

/** How long an engine may take to take an order, ms. */
const PATIENCE = 5000;

/**
 * Tells a running simulated engine to fail. Resolves once it has taken the order, true, or false when nothing that takes
 * orders listens there (an engine that died of it may answer no more). Throws nothing.
 */
export function tellEngine(address: LocalAddress, fault: Fault): Promise<boolean> {
  const where =
    address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve) => {
    const post = request(
      { ...where, method: "POST", path: "/simulate/fault", agent: false, timeout: PATIENCE },
      (response) => {
        response.resume();
        resolve(response.statusCode === 204);
      },
    );
    post.on("error", () => resolve(false)).on("timeout", () => post.destroy());
    post.setHeader("content-type", "application/json");
    post.end(JSON.stringify(fault));
  });
}
