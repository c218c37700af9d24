import type { Diagnostic } from "../core/index.ts";
import type { Plan } from "../plan/plan.ts";
import type { Spec } from "../spec/spec.ts";
import type { DeployedService } from "./deployed-service.ts";

/** What the owner should know about how engines are started, whatever runs them. */
export const startFindings = (spec: Spec, services: readonly DeployedService[]): readonly Diagnostic[] =>
  services.flatMap((service) => [
    ...withoutTokenizer(spec, service),
    ...lostArguments(spec, service),
    ...offloadWithoutRoom(service),
    ...besideOnHub(spec, service),
  ]);

/** KTransformers reads configuration and tokenizer as Hugging Face files; a GGUF repository holds weights alone. */
function withoutTokenizer(spec: Spec, { name, kind, planned }: DeployedService): readonly Diagnostic[] {
  const model = spec.models[planned.model.name];
  if (kind !== "ktransformers" || model?.format !== "gguf") return [];
  return [
    {
      code: "render.needs-value",
      severity: "warning",
      path: `models.${planned.model.name}.source`,
      message: `${name}: KTransformers takes experts from the GGUF files, and configuration, tokenizer and the weights for the card from the original model's folder, which these files do not hold.`,
      hint: "Put config.json, the tokenizer's files and the safetensors of the original model into the same folder.",
      source: "KTransformers 0.7.0: --model-path and --kt-weight-path",
    },
  ];
}

/** Projectors and adapters are files beside the model; of a hub only models are downloaded. */
function besideOnHub(spec: Spec, { name, planned }: DeployedService): readonly Diagnostic[] {
  const at = `models.${planned.model.name}`;
  const { projector, adapters = [] } = spec.models[planned.model.name] ?? {};
  const files = [
    { path: `${at}.projector`, hub: projector?.hub },
    ...adapters.map(({ hub }, index) => ({ path: `${at}.adapters.${index}`, hub })),
  ];
  return files.flatMap(({ path, hub }): Diagnostic[] =>
    hub === undefined
      ? []
      : [
          {
            code: "render.needs-value",
            severity: "warning",
            path,
            message: `${name} is started without what lies at ${hub}: only the model itself is downloaded, and its place on the node is not known.`,
            hint: "Download it to a disk of the node and name it there: disk:DISK/path.",
          },
        ],
  );
}

function lostArguments(
  spec: Spec,
  { name, replicaOf, planned, options }: DeployedService,
): readonly Diagnostic[] {
  const lost = [...(spec.engines[planned.engine.name]?.arguments ?? []), ...planned.extraArguments];
  if (options.command === undefined || lost.length === 0) return [];
  return [
    {
      code: "render.not-applicable",
      severity: "warning",
      path: `services.${replicaOf ?? name}.command`,
      message: `${name} has a command of its own, and the arguments ${lost.join(" ")} are not added to it.`,
      hint: "Write them into the command, or take the command out.",
    },
  ];
}

function offloadWithoutRoom({ planned, options }: DeployedService): readonly Diagnostic[] {
  if (options.kvCacheOffload === undefined || options.promptCache !== undefined) return [];
  return [
    {
      code: "render.not-applicable",
      severity: "warning",
      path: `engines.${planned.engine.name}.kvCacheOffload`,
      message:
        "The plan sets no main memory aside for a KV cache that is offloaded, so the engine is started without it.",
      hint: "Give its size by the engine's own arguments, and leave as much room in policies.headroom.memory.",
    },
  ];
}

/**
 * Engines within Omni, where others are units of systemd: Omni is their gateway then, with a spec of its own that has
 * neither files nor devices, and nobody runs these.
 */
export const withoutEmbedded = (
  { services: planned }: Plan,
  deployed: readonly DeployedService[],
  { runtime: { kind, process } }: Spec,
): readonly Diagnostic[] =>
  deployed.length === 0 || kind !== "process" || !process.systemd
    ? []
    : planned
        .filter(({ engine }) => (engine.kind ?? engine.name) === "embedded")
        .map(({ name }) => ({
          code: "render.not-applicable",
          severity: "warning",
          path: `services.${name}.engine`,
          message: `${name} runs within Omni, which is only the gateway of the units that are rendered here: its routes go without it.`,
          hint: "engine: llama.cpp gives it a unit; without runtime.process.systemd Omni runs all engines itself.",
        }));
