import { cudaVisibleBytes, findGpu } from "../catalog/index.ts";
import type { Machine, Spec } from "../spec/spec.ts";
import type { DeployedCard } from "./deployment.ts";

type Gpu = NonNullable<Machine["gpus"]>[string];

/** The cards of a list of names, `card` or `machine/card`, in its order; names that no machine has are left out. */
export function cardsNamed(
  spec: Spec,
  machine: string | undefined,
  names: readonly string[],
): readonly DeployedCard[] {
  return names.flatMap((name) => {
    const [first = "", second] = name.split("/");
    const on = second === undefined ? (machine ?? onlyMachine(spec)) : first;
    const key = second ?? first;
    const gpu = on === undefined ? undefined : spec.machines[on]?.gpus?.[key];
    return gpu === undefined || on === undefined ? [] : [cardOf(key, on, gpu)];
  });
}

const onlyMachine = (spec: Spec): string | undefined => {
  const names = Object.keys(spec.machines);
  return names.length === 1 ? names[0] : undefined;
};

function cardOf(name: string, machine: string, gpu: Gpu): DeployedCard {
  const known = findGpu(gpu.model);
  const capability = gpu.computeCapability ?? known?.computeCapability;
  const labelled = gpu.memory ?? known?.memory;
  return {
    name,
    machine,
    model: known?.name ?? gpu.model,
    ...(gpu.uuid === undefined ? {} : { uuid: gpu.uuid }),
    ...(gpu.index === undefined ? {} : { index: gpu.index }),
    ...(gpu.pci === undefined ? {} : { pci: gpu.pci }),
    ...(capability === undefined ? {} : { computeCapability: capability }),
    ...(labelled === undefined ? {} : { memory: cudaVisibleBytes(known, labelled) }),
  };
}
