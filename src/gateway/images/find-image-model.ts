import type { Caller } from "../../keys/caller.ts";
import type { Backends } from "../../supervisor/backends.ts";
import { unknownModel } from "../targets.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import type { ImageAsk } from "./image-ask.ts";
import type { ImageModel, ImageModels } from "./image-models.ts";
import { IMAGE_PLACEHOLDERS } from "./placeholders.ts";
import type { WorkflowTemplate } from "./workflow-template.ts";

/** Who makes the images of a request, as far as this caller may ask for them; or why nobody does. */
export function findImageModel(
  backends: Pick<Backends, "routes">,
  models: ImageModels,
  ask: ImageAsk,
  caller: Caller,
): { readonly name: string; readonly models: readonly ImageModel[] } | WireError {
  const allowed = (name: string, list: readonly ImageModel[]): readonly ImageModel[] => {
    const { routes } = caller;
    if (routes === undefined || routes.includes(name)) return list;
    return list.filter(({ service }) => routes.includes(service));
  };
  const known = [...models.keys()].filter((name) => allowed(name, models.get(name) ?? []).length > 0);
  const name = ask.model ?? only(known, models);
  if (name === undefined)
    return badRequest(
      "model_required",
      `The request names no model. Image models: ${known.join(", ") || "none; a service of ComfyUI needs workflows"}.`,
      "model",
    );
  const found = allowed(name, models.get(name) ?? throughRoute(backends, models, name));
  if (found.length === 0) return unknownModel(name, known);
  const fitting = found.filter(({ workflow }) => misfit(ask, workflow) === undefined);
  const [first] = found;
  if (fitting.length > 0 || first === undefined)
    return { name, models: fitting.flatMap((model) => replicasOf(backends, model)) };
  const why = misfit(ask, first.workflow);
  return badRequest("not_in_workflow", `The workflow of "${name}" ${why?.message ?? ""}.`, why?.param);
}

/** What the services of a route make, those that have one template. */
const throughRoute = (
  backends: Pick<Backends, "routes">,
  models: ImageModels,
  name: string,
): readonly ImageModel[] => {
  const services = backends.routes().find((route) => route.name === name)?.services ?? [];
  return services.flatMap(
    (service) => models.get(service)?.filter((model) => model.service === service) ?? [],
  );
};

/** A service by the names of its replicas; the plan lists them as what the service's own name stands for. */
function replicasOf(backends: Pick<Backends, "routes">, { service, workflow }: ImageModel): ImageModel[] {
  const own = backends.routes().find(({ name, rules }) => name === service && rules === undefined);
  return (own?.services ?? [service]).map((replica) => ({ service: replica, workflow }));
}

/** The one model that there is under however many names. */
function only(known: readonly string[], models: ImageModels): string | undefined {
  const workflows = new Set(
    known.flatMap((name) => (models.get(name) ?? []).map(({ workflow }) => workflow)),
  );
  return workflows.size === 1 ? known[0] : undefined;
}

/** What a request asks for that a workflow has no place for; silence about it would be an image that nobody ordered. */
function misfit(
  ask: ImageAsk,
  { uses }: WorkflowTemplate,
): { readonly message: string; readonly param: string } | undefined {
  const places = IMAGE_PLACEHOLDERS.filter((name) => uses.has(name)).length;
  if (places > 0 && ask.kind === "image_generation")
    return { message: "starts from an image; send it to /v1/images/edits", param: "image" };
  if (places !== ask.images.length)
    return {
      message:
        places === 0
          ? "edits no images: it has no {{image}}"
          : `takes ${places} images, not ${ask.images.length}`,
      param: "image",
    };
  if (ask.mask !== undefined && !uses.has("mask"))
    return { message: "takes no mask: it has no {{mask}}", param: "mask" };
  if (ask.size !== undefined && !(uses.has("width") && uses.has("height")))
    return { message: "makes images of its own size; leave size out or say auto", param: "size" };
  if (ask.negativePrompt !== undefined && !uses.has("negative_prompt"))
    return { message: "has no {{negative_prompt}}", param: "negative_prompt" };
  if (ask.seed !== undefined && !uses.has("seed")) return { message: "has no {{seed}}", param: "seed" };
  if (ask.steps !== undefined && !uses.has("steps")) return { message: "has no {{steps}}", param: "steps" };
  return undefined;
}
