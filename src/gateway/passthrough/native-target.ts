import type { Address } from "../../core/index.ts";
import { nearest, pathAt } from "../../core/index.ts";
import type { Caller } from "../../keys/caller.ts";
import type { ServiceView } from "../../supervisor/backends.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";

const PREFIX = "/upstream/";

/** A service, and what is asked of it: path and query as they were sent. */
export interface NativeTarget {
  readonly service: ServiceView;
  readonly path: string;
  readonly query: string;
}

/** Which service and which of its paths a URL below `/upstream/` means. */
export function nativeTarget(
  url: string,
  services: readonly ServiceView[],
  caller: Caller,
): NativeTarget | WireError {
  if (!caller.upstream) {
    return forbidden("upstream_not_allowed", `Key "${caller.key}" may not use engines' own endpoints.`);
  }
  const mark = url.indexOf("?");
  const whole = mark < 0 ? url : url.slice(0, mark);
  const rest = whole.slice(PREFIX.length);
  const slash = rest.indexOf("/");
  const name = decoded(slash < 0 ? rest : rest.slice(0, slash));
  const service = services.find((view) => view.name === name);
  if (service === undefined) return unknown(name, services);
  if (
    caller.routes !== undefined &&
    !caller.routes.some((route) => route === name || route === service.model)
  ) {
    return forbidden("service_not_allowed", `Key "${caller.key}" may not use service "${name}".`);
  }
  const path = slash < 0 ? "/" : rest.slice(slash);
  if (climbs(path)) {
    return badRequest(
      "bad_path",
      "The path behind the service has segments of dots or a backslash; send it plain.",
    );
  }
  return { service, path, query: mark < 0 ? "" : url.slice(mark) };
}

/** The path of the request at an address; a remote API has its own base in the place of `/v1`. */
export const pathOf = ({ path, query }: NativeTarget, address: Address): string =>
  pathAt(address, path) + query;

/** Whether a server could take the path for one above where it was meant to be. */
const climbs = (path: string): boolean =>
  /\\|%5c/i.test(path) || path.split(/\/|%2f/i).some((segment) => /^(?:\.|%2e){1,2}(?:;.*)?$/i.test(segment));

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const forbidden = (code: string, message: string): WireError => ({
  status: 403,
  type: "permission_error",
  code,
  message,
});

function unknown(name: string, services: readonly ServiceView[]): WireError {
  const names = services.map((service) => service.name);
  const meant = nearest(name.slice(0, 100), names);
  const guess = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return {
    status: 404,
    type: "invalid_request_error",
    code: "service_not_found",
    message: `This node has no service "${name.slice(0, 100)}".${guess}`,
  };
}
