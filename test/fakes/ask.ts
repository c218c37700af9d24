import { request } from "node:http";
import type { Address } from "../../src/core/index.ts";

/** GETs a path of an engine of this machine; the status, or `undefined` when the connection breaks or nothing listens. */
export function ask(address: Address | undefined, path: string): Promise<number | undefined> {
  if (address === undefined || address.kind === "url") return Promise.resolve(undefined);
  const target =
    address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve) => {
    const get = request({ ...target, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    get.on("error", () => resolve(undefined));
    get.end();
  });
}
