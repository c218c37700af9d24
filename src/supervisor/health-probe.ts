import { request } from "node:http";
import type { Address } from "../core/index.ts";
import { formatDuration } from "../core/index.ts";
import type { EngineDriver, Health } from "../engines/engine.ts";

const BODY_LIMIT = 64 * 1024;

/** Asks an engine for its health once; every fault of the connection is an answer too. Never rejects. */
export function probeHealth(
  address: Address,
  driver: EngineDriver,
  timeout: number,
  signal: AbortSignal,
): Promise<Health> {
  const target =
    address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve) => {
    const unreachable = (reason: string): void => resolve({ state: "unreachable", reason });
    const get = request({ ...target, path: driver.healthPath, agent: false, signal }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        if (body.length < BODY_LIMIT) body += text;
      });
      response.on("error", (error) => unreachable(error.message));
      response.on("end", () => {
        clearTimeout(limit);
        resolve(driver.readHealth(response.statusCode ?? 0, body));
      });
    });
    // A limit on the whole exchange: the timeout of the request itself counts silence of the socket only.
    const limit = setTimeout(
      () => get.destroy(new Error(`no answer within ${formatDuration(timeout)}`)),
      timeout,
    );
    get.on("error", (error) => {
      clearTimeout(limit);
      unreachable(error.message);
    });
    get.end();
  });
}
