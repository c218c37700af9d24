import { GIB, MIB } from "../core/index.ts";
import { catalogGpu, hasMemoryOf, mountOf } from "../inventory/index.ts";
import type { DiskInventory, GpuInventory, MachineInventory } from "../inventory/index.ts";
import { serviceName } from "../spec/index.ts";
import { uniqueName } from "./init-models.ts";

/** A value of a spec as it is typed. */
export type Typed = string | number | boolean | readonly Typed[] | TypedMap;
export interface TypedMap {
  readonly [key: string]: Typed;
}

/** A part of a spec with what is said about it: `about` stands above it, `leftOut` is listed below it as comments. */
export interface Section {
  readonly value: TypedMap;
  /** By key of the section, for a person. */
  readonly about: Readonly<Record<string, string>>;
  readonly leftOut: readonly string[];
}

/** The metal of a spec. What has no stable identity or no place in the language is in a section's `leftOut`. */
export interface Metal {
  readonly cpu: TypedMap;
  readonly memory: TypedMap;
  readonly gpus: Section;
  readonly disks: Section;
  readonly driver?: TypedMap;
}

/** Features that engines choose their kernels by; /proc/cpuinfo lists a hundred others. */
const TOLD_FEATURES = /^(?:avx\w*|amx_\w+|fma|f16c|asimd\w*|sve\w*|i8mm|bf16)$/;
const MOST_FEATURES = 32;

/**
 * What a spec says about an observed machine; every value is one that the spec's language takes. A disk that one of the
 * files at `modelPaths` (absolute) lies on is one for models.
 */
export function metalOf(machine: MachineInventory, modelPaths: readonly string[] = []): Metal {
  const { driver } = machine;
  const driverKeys = present({
    version: text(driver?.version),
    flavour: driver?.flavour,
    cuda: text(driver?.cuda),
  });
  return {
    cpu: cpuOf(machine),
    memory: memoryOf(machine),
    gpus: gpusOf(machine.gpus),
    disks: disksOf(machine.disks, new Set(modelPaths.map((path) => mountOf(machine, path)?.path))),
    ...(Object.keys(driverKeys).length === 0 ? {} : { driver: driverKeys }),
  };
}

function cpuOf({ cpu, numa }: MachineInventory): TypedMap {
  const nodes = numa.filter(
    (node) => node.memory > 0 && /^\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*$/.test(node.cpus),
  );
  const perSocket = nodes.length / (cpu.sockets ?? 1);
  const nps = /\bAMD\b/.test(cpu.model ?? "") && nodes.length > 1 && [1, 2, 4].includes(perSocket);
  const features = cpu.features.filter((feature) => TOLD_FEATURES.test(feature)).slice(0, MOST_FEATURES);
  return present({
    model: text(cpu.model),
    sockets: within(cpu.sockets, 16),
    cores: within(cpu.cores, 4096),
    threads: cpu.threads < cpu.cores ? undefined : within(cpu.threads, 8192),
    nodesPerSocket: nps ? `NPS${perSocket}` : undefined,
    numa:
      nodes.length > 1 && nodes.length <= 64
        ? nodes.map(({ cpus, memory }) => ({ cpus, memory: amount(memory) }))
        : undefined,
    features: features.length === 0 ? undefined : features,
  });
}

const HUGEPAGES: ReadonlyMap<number, string> = new Map([
  [2 * MIB, "2MiB"],
  [GIB, "1GiB"],
]);

function memoryOf({ memory }: MachineInventory): TypedMap {
  const pages = (memory.hugepages ?? []).find(
    ({ size, count }) => HUGEPAGES.has(size) && count >= 1 && count <= 1_000_000,
  );
  return present({
    size: amount(memory.total),
    hugepages:
      pages === undefined ? undefined : { size: HUGEPAGES.get(pages.size) ?? "", count: pages.count },
  });
}

/** Bytes as whole GiB or MiB, as a person would type them; never more than there is, never nothing. */
export const amount = (bytes: number): string =>
  bytes >= GIB && bytes % GIB === 0 ? `${bytes / GIB}GiB` : `${Math.max(1, Math.floor(bytes / MIB))}MiB`;

function gpusOf(gpus: readonly GpuInventory[]): Section {
  const value: Record<string, TypedMap> = {};
  const about: Record<string, string> = {};
  const leftOut: string[] = [];
  const names = new Set<string>(["auto", "cpu"]);
  const claims = new Claims();
  const kinds = Map.groupBy(gpus, kindOf);
  const numbers = new Map<string, number>();
  for (const gpu of gpus) {
    const typed = gpuOf(gpu, claims);
    if (typeof typed === "string") {
      leftOut.push(typed);
      continue;
    }
    const kind = kindOf(gpu);
    const number = (numbers.get(kind) ?? 0) + 1;
    numbers.set(kind, number);
    const several = (kinds.get(kind)?.length ?? 0) > 1;
    const name = uniqueName(several ? `${kind}-${number}` : kind, names, 63);
    value[name] = typed;
    const memory = gpu.memoryTotal === undefined ? undefined : `${(gpu.memoryTotal / GIB).toFixed(1)} GiB`;
    const driver = gpu.kernelDriver ?? (gpu.uuid === undefined ? "no driver" : undefined);
    about[name] = [gpu.name, memory, driver].filter((part) => part !== undefined).join(", ");
  }
  return { value, about, leftOut };
}

/** What cards of one model are called in the spec, before they are numbered: `rtx-3080`. */
const kindOf = (gpu: GpuInventory): string =>
  serviceName(catalogGpu(gpu)?.name ?? gpu.name)
    .slice(0, 56)
    .replace(/-+$/, "") || "card";

const DRIVERS = new Set(["vfio-pci", "nvidia", "nouveau"]);

/** A card as the spec types it, or why it is not in the spec. */
function gpuOf(gpu: GpuInventory, claims: Claims): TypedMap | string {
  const where = `${gpu.name}${gpu.pci === undefined ? "" : ` at ${gpu.pci}`}`;
  if (gpu.vendor !== "nvidia")
    return `${where}: the engines of this version compute on NVIDIA cards and on processors`;
  const model = catalogGpu(gpu);
  const memory = gpu.memoryTotal === undefined || gpu.memoryTotal < MIB ? undefined : amount(gpu.memoryTotal);
  const capability = /^\d{1,2}\.\d$/.exec(gpu.computeCapability ?? "")?.[0];
  if (model === undefined && (memory === undefined || capability === undefined))
    return `${where}: not in the catalog, and its memory and compute capability are known only with the driver`;
  const modified = model === undefined || !hasMemoryOf(gpu, model);
  const { link } = gpu;
  return present({
    model: model?.name ?? text(gpu.name) ?? "NVIDIA GPU",
    uuid: claims.once("uuid", gpu.uuid, /^(?:GPU|MIG)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i),
    pci: claims.once("pci", gpu.pci, /^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i, (pci) =>
      pci.slice(0, -2),
    ),
    ids: gpu.pciId !== undefined && /^[0-9a-f]{4}:[0-9a-f]{4}$/.test(gpu.pciId) ? [gpu.pciId] : undefined,
    index: claims.once("index", within(gpu.index, 63, 0)),
    memory: modified ? memory : undefined,
    computeCapability: model === undefined ? capability : undefined,
    driver: DRIVERS.has(gpu.kernelDriver ?? "") ? gpu.kernelDriver : undefined,
    numaNode: within(gpu.numaNode, 63, 0),
    link:
      link === undefined
        ? undefined
        : present({ generation: within(link.generation, 7), lanes: within(link.lanes, 32) }),
  });
}

const FILE_SYSTEMS = new Set(["xfs", "ext4", "btrfs", "zfs"]);

function disksOf(disks: readonly DiskInventory[], mountsOfModels: ReadonlySet<string | undefined>): Section {
  const value: Record<string, TypedMap> = {};
  const about: Record<string, string> = {};
  const leftOut: string[] = [];
  const names = new Set<string>();
  const claims = new Claims();
  for (const disk of disks) {
    const mount = mainMount(disk);
    const system = mount?.path === "/";
    const typed = present({
      byId: claims.once("byId", text(disk.byId)),
      serial: claims.once("serial", text(disk.serial)),
      size: disk.size === undefined || disk.size < 1 ? undefined : amount(disk.size),
      mount: claims.once("mount", mount === undefined || !isTypeable(mount.path) ? undefined : mount.path),
      filesystem: mount !== undefined && FILE_SYSTEMS.has(mount.filesystem) ? mount.filesystem : undefined,
      role: system ? "system" : mount !== undefined && mountsOfModels.has(mount.path) ? "models" : undefined,
    });
    const said = [
      disk.name,
      disk.model,
      mount === undefined ? undefined : `${(mount.free / GIB).toFixed(1)} GiB free`,
    ]
      .filter((part) => part !== undefined)
      .join(", ");
    if (!["byId", "serial", "mount"].some((key) => key in typed)) {
      leftOut.push(`${said}: no serial number and no file system, so nothing names it after the next boot`);
      continue;
    }
    const name = uniqueName(
      system ? "system" : serviceName(mount?.path ?? "").slice(0, 56) || "disk",
      names,
      63,
    );
    value[name] = typed;
    about[name] = said;
  }
  return { value, about, leftOut };
}

/** The root file system, or the largest. */
const mainMount = (disk: DiskInventory): DiskInventory["mounts"][number] | undefined =>
  disk.mounts.find((mount) => mount.path === "/") ?? disk.mounts.toSorted((a, b) => b.size - a.size)[0];

/** An identity may stand in a spec once; cheap disks and virtual machines share theirs. */
class Claims {
  readonly #taken = new Set<string>();

  once<T extends string | number>(
    kind: string,
    value: T | undefined,
    form = /^/,
    identity: (text: string) => string = (text) => text,
  ): T | undefined {
    if (value === undefined || !form.test(String(value))) return undefined;
    const key = `${kind} ${identity(String(value)).toLowerCase()}`;
    if (this.#taken.has(key)) return undefined;
    this.#taken.add(key);
    return value;
  }
}

/** The keys that have a value. */
function present(values: Readonly<Record<string, Typed | undefined>>): TypedMap {
  const kept: Record<string, Typed> = {};
  for (const [key, value] of Object.entries(values)) if (value !== undefined) kept[key] = value;
  return kept;
}

const within = (value: number | undefined, most: number, least = 1): number | undefined =>
  value !== undefined && Number.isInteger(value) && value >= least && value <= most ? value : undefined;

/** Names of hardware without control characters and padding; `undefined` when nothing is left. */
const text = (name: string | undefined): string | undefined =>
  name?.replaceAll(/\p{C}/gu, " ").replaceAll(/\s+/g, " ").trim() || undefined;

/** Whether a spec can hold a path as it is: no text with a syntax of its own is longer, or has control characters. */
export const isTypeable = (path: string): boolean =>
  path.length <= 2000 && !/\p{C}|\u2028|\u2029|\uFFFD/u.test(path);
