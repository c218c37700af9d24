import type { Backends, ServiceView } from "../supervisor/backends.ts";
import type { Call } from "./call.ts";
import { sendJson } from "./call.ts";
import { knownNames, unknownModel } from "./targets.ts";
import { badRequest, sendError } from "./wire-error.ts";

/** `GET /v1/models`: every name that a request may ask for, in OpenAI's shape plus what this node knows of it. */
export function listModels(backends: Backends, call: Call): void {
  const data = knownNames(backends, call.caller).map((name) => modelObject(backends, name));
  sendJson(call, 200, { object: "list", data });
}

/** `GET /v1/models/{id}`; the id may hold slashes, encoded or not. */
export function showModel(backends: Backends, call: Call, encoded: string): void {
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
  const known = knownNames(backends, call.caller);
  if (known.includes(id)) sendJson(call, 200, modelObject(backends, id));
  else sendError(call, unknownModel(id, known));
}

function modelObject(backends: Backends, name: string): Record<string, unknown> {
  const route = backends.routes().find((r) => r.name === name);
  const wanted = route?.services ?? [name];
  const views = backends.services().filter((view) => wanted.includes(view.name));
  const best = views.find((view) => view.state === "ready") ?? views[0];
  return {
    id: name,
    object: "model",
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
