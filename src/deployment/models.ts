import { present } from "../core/index.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { Model, Spec } from "../spec/spec.ts";
import type { DeployedModel } from "./deployment.ts";
import { secretReference } from "./gateway.ts";
import { machineOf, modelPath } from "./node-paths.ts";

const HUB = "https://huggingface.co";

/** The models that services of this deployment read from a node, once for each machine that serves them. */
export function modelsOf(spec: Spec, services: readonly PlannedService[]): readonly DeployedModel[] {
  const wanted = new Map<string, PlannedService>();
  for (const service of services)
    for (const one of [service, ...proposing(spec, service)])
      wanted.set(`${one.model.name} ${one.machine ?? ""}`, one);
  return [...wanted.values()].flatMap((service) => {
    const model = spec.models[service.model.name];
    if (model === undefined || model.source.remote !== undefined || model.source.builtin !== undefined)
      return [];
    return [deployedModel(spec, service, model)];
  });
}

/** The service's draft model as if it were its own, because its files have to be there as well. */
function proposing(spec: Spec, service: PlannedService): readonly PlannedService[] {
  const name = spec.services[service.replicaOf ?? service.name]?.draft?.model;
  if (name === undefined) return [];
  return [{ ...service, model: { name, path: spec.models[name]?.source.file ?? "", sizeBytes: 0 } }];
}

function deployedModel(spec: Spec, service: PlannedService, model: Model): DeployedModel {
  const { name, sizeBytes } = service.model;
  const machine = machineOf(spec, service.machine);
  const path = modelPath(name, model, machine, service.model.path);
  return {
    name,
    ...present({ format: model.format, download: downloadOf(spec, model), machine: service.machine }),
    path,
    ...present({ disk: model.store?.disk ?? model.source.disk ?? diskHolding(machine, path) }),
    sizeBytes: sizeBytes > 0 ? sizeBytes : (model.size?.max ?? 0),
  };
}

/** The disk whose mount a path lies under; the deepest decides. */
const diskHolding = (machine: Spec["machines"][string] | undefined, path: string): string | undefined =>
  Object.entries(machine?.disks ?? {})
    .filter(([, disk]) => disk.mount !== undefined && `${path}/`.startsWith(`${disk.mount}/`))
    .toSorted(([, a], [, b]) => (b.mount?.length ?? 0) - (a.mount?.length ?? 0))[0]?.[0];

function downloadOf(spec: Spec, { source, quantization, format }: Model): DeployedModel["download"] {
  if (source.hub === undefined) return undefined;
  const { downloads } = spec.runbook;
  const gguf = format === "gguf" || /gguf/i.test(source.hub);
  const quant = source.quantization ?? quantization;
  const files = source.files ?? (gguf && quant !== undefined ? [`*${quant}*.gguf`] : []);
  return {
    repository: source.hub,
    revision: source.revision ?? "main",
    files,
    endpoint: source.endpoint ?? downloads?.endpoint ?? HUB,
    connections: downloads?.connections ?? 8,
    ...present({
      token: source.token === undefined ? undefined : secretReference(source.token),
      bandwidth: downloads?.bandwidth,
      by: downloads?.by,
    }),
  };
}
