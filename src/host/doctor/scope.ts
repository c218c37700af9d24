import { catalogGpu } from "../../inventory/index.ts";
import type { MachineInventory } from "../../inventory/index.ts";
import type { Cluster, DeployedModel, DeployedService, GuestSystem, Host } from "../../deployment/index.ts";
import type { DoctorSubject } from "./check.ts";

type SeenGpu = MachineInventory["gpus"][number];
type SpecGpu = NonNullable<Host["gpus"]>[string];

/** The guests of the spec on the machine that is looked at. */
export const guestsHere = ({ deployment, host }: DoctorSubject): readonly GuestSystem[] =>
  (deployment?.guests ?? []).filter(
    ({ machine }) => machine === undefined || host === undefined || machine === host.name,
  );

/** Whether engines run on this very system: neither in a VM on it, nor elsewhere. */
export function enginesRunHere(subject: DoctorSubject): boolean {
  if (subject.host?.platform === "talos") return false;
  return guestsHere(subject).every(({ vm, talos }) => vm === undefined && talos === undefined);
}

/** Services that this system runs itself, with no regard to the plan's refusals. */
export function servicesHere(subject: DoctorSubject): readonly DeployedService[] {
  const { deployment, host } = subject;
  if (!enginesRunHere(subject)) return [];
  return (deployment?.services ?? []).filter(
    ({ machine }) => machine === undefined || host === undefined || machine === host.name,
  );
}

/** Models that have to lie on this system. */
export function modelsHere(subject: DoctorSubject): readonly DeployedModel[] {
  const { deployment, host } = subject;
  if (!enginesRunHere(subject)) return [];
  return (deployment?.models ?? []).filter(
    ({ machine }) => machine === undefined || host === undefined || machine === host.name,
  );
}

/** The clusters of the spec that this machine carries. */
export function clustersHere(subject: DoctorSubject): readonly Cluster[] {
  const names = new Set(guestsHere(subject).map(({ name }) => name));
  return (subject.deployment?.clusters ?? []).filter(({ guest }) => guest === undefined || names.has(guest));
}

/** Whether Docker is to be there: a service runs in it, or nobody said what is to be. */
export const usesDocker = (subject: DoctorSubject): boolean =>
  subject.spec === undefined || servicesHere(subject).some(({ runtime }) => runtime === "docker");

/** NVIDIA cards that the driver of this host is to drive: neither handed to a VM nor kept for one. */
export function driverCards(subject: DoctorSubject): readonly SeenGpu[] {
  const handed = new Set(
    guestsHere(subject).flatMap(({ vm }) => Object.values(vm?.hostpci ?? {}).map(({ gpu }) => gpu)),
  );
  const kept = Object.entries(subject.host?.gpus ?? {}).filter(
    ([name, gpu]) => gpu.driver === "vfio-pci" || handed.has(name),
  );
  return subject.view.machine.gpus.filter(
    (seen) =>
      seen.vendor === "nvidia" &&
      seen.kernelDriver !== "vfio-pci" &&
      !kept.some(([, gpu]) => isSameCard(gpu, seen)),
  );
}

/** Whether a card of the spec is this one, by its UUID or PCI address; the spec may leave the function out. */
const isSameCard = (gpu: SpecGpu, seen: SeenGpu): boolean =>
  (gpu.uuid !== undefined && gpu.uuid === seen.uuid) ||
  (gpu.pci !== undefined && seen.pci !== undefined && seen.pci.startsWith(gpu.pci.toLowerCase()));

/** Major number of a card's compute capability: 12 for an RTX 5090; 0 where nobody knows it. */
export const capabilityMajor = (gpu: SeenGpu): number =>
  Number((gpu.computeCapability ?? catalogGpu(gpu)?.computeCapability ?? "0").split(".")[0]);

/** `RTX 5090 (0000:11:00.0)`. */
export const cardLabel = ({ name, pci, uuid }: SeenGpu): string => {
  const place = pci ?? uuid;
  return place === undefined ? name : `${name} (${place})`;
};
