import { findEngineRelease } from "../catalog/index.ts";
import { formatBytes } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { Engine, Model } from "../spec/spec.ts";
import type { Refusal } from "./candidates.ts";
import type { PlanDisk, PlanMachine } from "./machines.ts";

type Fault = Omit<Refusal, "engine" | "rank" | "cards">;

/** The disk of a machine that receives a model's files, or already holds them; `undefined` when the spec names none. */
export function diskOf(model: Model, machine: PlanMachine): PlanDisk | undefined {
  const name = model.store?.disk ?? model.source.disk;
  const path = model.store?.path ?? model.source.file;
  return (
    machine.disks.find((disk) => disk.name === name) ??
    machine.disks
      .filter((disk) => disk.mount !== undefined && path?.startsWith(`${disk.mount}/`) === true)
      .toSorted((a, b) => (b.mount?.length ?? 0) - (a.mount?.length ?? 0))[0]
  );
}

/** Weights that are to be downloaded and do not go on their disk. Files that are there already need no room. */
export function modelRoom(model: Model, shape: ModelShape, machine: PlanMachine): Fault | undefined {
  const disk = diskOf(model, machine);
  if (disk?.room === undefined || model.source.hub === undefined) return undefined;
  const room = disk.room - disk.headroom;
  if (shape.fileBytes <= room) return undefined;
  return {
    code: "disk-too-small",
    reason:
      `its weights are ${formatBytes(shape.fileBytes)} and the disk ${disk.name} has ${formatBytes(disk.room)}, ` +
      `${formatBytes(disk.headroom)} of which stay free`,
    hint: "Store the model on a larger disk, or take a smaller quantization.",
  };
}

/** An engine's image that cannot be unpacked where containers live on this machine. */
export function imageRoom(engine: Engine, machine: PlanMachine): Fault | undefined {
  const release = findEngineRelease(engine.kind, engine.version, engine.image);
  if (release?.imageBytes === undefined || machine.imageRoom === undefined) return undefined;
  if (release.imageBytes <= machine.imageRoom) return undefined;
  return {
    code: "disk-too-small",
    reason: `the image ${engine.image ?? release.kind} takes ${formatBytes(release.imageBytes)} and ${machine.name} has ${formatBytes(machine.imageRoom)} free for images`,
    hint: "Move the container data folder to a larger disk, or take a smaller image.",
    source: release.source,
  };
}

/** Main memory of a NUMA node that does not hold what a service bound to it takes. */
export function numaRoom(node: number | undefined, bytes: number, machine: PlanMachine): Fault | undefined {
  const room = node === undefined ? undefined : machine.numaMemory[node];
  if (room === undefined || bytes <= room) return undefined;
  return {
    code: "does-not-fit",
    reason: `it is bound to NUMA node ${node} and takes ${formatBytes(bytes)} of main memory; the node has ${formatBytes(room)}`,
    hint: "Leave numaNode out, so that it may use the memory of all nodes, or take a smaller model.",
  };
}
