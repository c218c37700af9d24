import { messageOf } from "../../core/index.ts";
import type { Backends } from "../../supervisor/backends.ts";
import { wireErrorType } from "../../dialects/wire-error.ts";
import { unavailableError } from "../service-wait.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import { ComfyUiFailure } from "./comfyui-failure.ts";
import type { ComfyUiTrouble } from "./comfyui-failure.ts";
import type { ImageModel } from "./image-models.ts";
import { NoImageService } from "./image-work.ts";
import type { PlaceholderName } from "./placeholders.ts";
import { isPlaceholder, placeholdersIn } from "./placeholders.ts";
import type { WorkflowTemplate } from "./workflow-template.ts";

/** Why a request ended that nobody failed at. */
export class NodeStopping extends Error {
  override readonly name = "NodeStopping";
}

const STATUS: Readonly<Record<ComfyUiTrouble, number>> = {
  refused: 500,
  failed: 500,
  memory: 503,
  lost: 502,
  interrupted: 503,
  timeout: 504,
  empty: 502,
};
/** Seconds: models that were unloaded for want of room are read again by the next try. */
const RETRY = 30;

/** How the end of a request for images reads on the wire. */
export function imageError(
  thrown: unknown,
  backends: Backends,
  name: string,
  models: readonly ImageModel[],
): WireError {
  if (thrown instanceof NoImageService)
    return unavailableError(backends, { route: name, services: models.map(({ service }) => service) });
  if (thrown instanceof NodeStopping)
    return { ...serverError(503, "node_stopping", "The node is stopping."), retryAfter: RETRY };
  if (!(thrown instanceof ComfyUiFailure)) return serverError(500, "internal_error", messageOf(thrown));
  const { trouble, message, inputs } = thrown;
  const param = models.flatMap(({ workflow }) => inputs.flatMap((input) => filledBy(workflow, input)))[0];
  // What the request put there is the request's fault; anything else is the template's or the installation's.
  if (trouble === "refused" && param !== undefined)
    return badRequest("invalid_value", message, PARAMS[param] ?? param);
  const retry = STATUS[trouble] === 503 ? { retryAfter: RETRY } : {};
  return { ...serverError(STATUS[trouble], `workflow_${trouble}`, message), ...retry };
}

const PARAMS: Readonly<Partial<Record<PlaceholderName, string>>> = {
  width: "size",
  height: "size",
  batch: "n",
};

const serverError = (status: number, code: string, message: string): WireError => ({
  status,
  type: wireErrorType(status),
  code,
  message,
});

/** The placeholders in an input, `6.text`. */
function filledBy({ nodes }: WorkflowTemplate, input: string): PlaceholderName[] {
  const dot = input.indexOf(".");
  const value = nodes[input.slice(0, dot)]?.inputs[input.slice(dot + 1)];
  return typeof value === "string"
    ? placeholdersIn(value)
        .map(({ name }) => name)
        .filter(isPlaceholder)
    : [];
}
