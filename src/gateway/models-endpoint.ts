import type { Backends, ServiceView } from "../supervisor/backends.ts";
import type { Call } from "./call.ts";
import { sendJson } from "./call.ts";
import { knownNames, unknownModel } from "./targets.ts";
import { badRequest, sendError } from "./wire-error.ts";

/** Names that are served beside routes and services, each with the services behind it: workflows that make images. */
export type MoreModels = ReadonlyMap<string, readonly string[]>;

const NONE: MoreModels = new Map();

/**
 * `GET /v1/models`: every name that a request may ask for, in OpenAI's shape plus what this node knows of it; clients of
 * Anthropic's dialect find what they look for beside it.
 */
export function listModels(backends: Backends, call: Call, more = NONE): void {
  const names = namesFor(backends, call, more);
  const data = names.map((name) => modelObject(backends, call, name, more));
  const list = { object: "list", data };
  sendJson(
    call,
    200,
    isAnthropic(call)
      ? { ...list, has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null }
      : list,
  );
}

function namesFor(backends: Backends, { caller }: Call, more: MoreModels): readonly string[] {
  const images = [...more.keys()].filter(
    (name) => caller?.routes === undefined || caller.routes.includes(name),
  );
  return [...new Set([...knownNames(backends, caller), ...images])];
}

const isAnthropic = ({ req }: Call): boolean => req.headers["anthropic-version"] !== undefined;

/** `GET /v1/models/{id}`; the id may hold slashes, encoded or not. */
export function showModel(backends: Backends, call: Call, encoded: string, more = NONE): void {
  let id: string;
  try {
    id = decodeURIComponent(encoded);
  } catch {
    sendError(
      call,
      badRequest("invalid_model_id", "The model id in the path is not valid percent-encoding."),
    );
    return;
  }
  const known = namesFor(backends, call, more);
  if (known.includes(id)) sendJson(call, 200, modelObject(backends, call, id, more));
  else sendError(call, unknownModel(id, known));
}

function modelObject(
  backends: Backends,
  call: Call,
  name: string,
  more: MoreModels,
): Record<string, unknown> {
  const route = backends.routes().find((r) => r.name === name);
  const wanted = route?.services ?? more.get(name) ?? [name];
  const views = backends.services().filter((view) => wanted.includes(view.name));
  const best = views.find((view) => view.state === "ready") ?? views[0];
  return {
    id: name,
    object: "model",
    ...(isAnthropic(call)
      ? { type: "model", display_name: name, created_at: new Date(best?.since ?? 0).toISOString() }
      : {}),
    created: best === undefined ? 0 : Math.floor(best.since / 1000),
    owned_by: "omni",
    omni: {
      kind: route === undefined ? "service" : "route",
      state: best?.state ?? "stopped",
      ...(best?.progress === undefined ? {} : { progress: best.progress }),
      services: wanted,
      ...(best === undefined ? {} : served(best)),
    },
  };
}

const served = (view: ServiceView): Record<string, unknown> => ({
  model: view.model,
  engine: view.engine,
  context_tokens: view.contextTokens,
  parallel: view.parallel,
});
