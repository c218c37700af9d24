import { OmniError } from "../../core/index.ts";
import type { DeployedService } from "../../deployment/index.ts";
import { tritonModelArguments } from "../../engines/index.ts";
import { pbtxtString } from "../escape/pbtxt.ts";
import { hashComment } from "../escape/shell.ts";

/** A file of a model repository, by its path below the repository. */
interface RepositoryFile {
  readonly path: string;
  readonly content: string;
}

/** The service is one that Triton's vLLM backend answers for. */
export const isTriton = (service: DeployedService): boolean => service.kind === "triton-vllm";

/**
 * Folder of the model in the repository: the name that Triton and `--load-model` know it by. Throws `OmniError`
 * `render.unrepresentable` where the name is no name of a folder.
 */
export function tritonModelFolder(service: DeployedService): string {
  const name = service.options.servedName;
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return name;
  throw new OmniError(
    "render.unrepresentable",
    `services.${service.name}: Triton knows a model by its folder, and ${JSON.stringify(name)} is no name of a folder.`,
    { hint: `services.${service.name}.servedName: a name of letters, digits and . _ -` },
  );
}

const parameter = (key: string): string =>
  `parameters {\n  key: ${pbtxtString(key)}\n  value { string_value: "true" }\n}\n`;

/** Config of the model: what Triton does around the engine. Source: triton-inference-server/vllm_backend, README. */
function configPbtxt(service: DeployedService, folder: string): string {
  return [
    hashComment(
      `Triton's config of the model ${folder}, rendered by Omni from omni.yaml (service ${service.name}). The engine's own arguments are in 1/model.json.`,
    ),
    `name: ${pbtxtString(folder)}`,
    `backend: "vllm"`,
    "",
    hashComment(
      "vLLM batches by itself and answers in parts: no batching here, and any number of answers to a request.",
    ),
    "max_batch_size: 0",
    "model_transaction_policy { decoupled: true }",
    "",
    hashComment(instanceReason(service)),
    "instance_group {\n  count: 1\n  kind: KIND_MODEL\n}",
    "",
    hashComment(
      `vLLM's counters at ${metricsAt(service)} of Triton. They are a subset: nothing there tells how full the KV cache is.`,
    ),
    parameter("REPORT_CUSTOM_METRICS"),
    hashComment(
      "Ask vLLM for its health at each request: a dead engine makes the model not ready. Needs --model-control-mode=explicit.",
    ),
    parameter("ENABLE_VLLM_HEALTH_CHECK").trimEnd(),
    "",
  ].join("\n");
}

/** Path of Triton's metrics with the port that the plan gave it. */
const metricsAt = ({ start, port }: DeployedService): string =>
  `${start.metrics?.path ?? "/metrics"}, port ${start.metrics?.port ?? port}`;

/** Why KIND_MODEL, also for one card: KIND_GPU makes Triton overwrite CUDA_VISIBLE_DEVICES by an index of its own. */
function instanceReason(service: DeployedService): string {
  const cards = service.cards.map((card) => card.name).join(", ");
  return service.cards.length > 1
    ? `One engine over ${service.cards.length} cards (${cards}). KIND_GPU is for one card; the backend refuses it for more.`
    : `One engine. KIND_GPU would set CUDA_VISIBLE_DEVICES to an index and undo the choice of the card${cards === "" ? "" : ` (${cards})`} by its UUID.`;
}

/** Adapters by the name that a request asks for: the file's or folder's own. */
const adapters = (paths: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path.replace(/\/+$/, "").replace(/^.*\//, ""), path]));

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/**
 * The files of a service's model repository, paths below `service.place.repositoryPath`: `NAME/config.pbtxt` and
 * `NAME/1/model.json`, with adapters `NAME/1/multi_lora.json` as well. Throws `OmniError` `render.unrepresentable`
 * where the served name is no name of a folder.
 */
export function tritonRepository(service: DeployedService): readonly RepositoryFile[] {
  const folder = tritonModelFolder(service);
  const { planned, options, place } = service;
  const { adapterPaths = [] } = place;
  return [
    { path: `${folder}/config.pbtxt`, content: configPbtxt(service, folder) },
    { path: `${folder}/1/model.json`, content: json(tritonModelArguments(planned, options, place)) },
    ...(adapterPaths.length === 0
      ? []
      : [{ path: `${folder}/1/multi_lora.json`, content: json(adapters(adapterPaths)) }]),
  ];
}
