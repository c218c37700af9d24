import type { Diagnostic } from "../../core/index.ts";
import type { DeployedService, Deployment, Environment } from "../../deployment/index.ts";
import type { Sandbox } from "./sandbox.ts";

export type SeenPaths = Pick<Sandbox, "read" | "write" | "bound">;

interface Seen {
  readonly paths: SeenPaths;
  readonly diagnostics: readonly Diagnostic[];
}

/** What a service sees of the node: its mounts as paths, and what of them has no form without containers. */
export function seenPaths(service: DeployedService, user: string | undefined): Seen {
  const read: string[] = [];
  const write: string[] = [];
  const bound: { from: string; to: string; readOnly: boolean }[] = [];
  const diagnostics: Diagnostic[] = [];
  const path = `services.${service.name}.mounts`;
  for (const { source, at, readOnly, purpose } of service.mounts) {
    if (source.kind === "volume") {
      diagnostics.push({
        code: "render.not-applicable",
        severity: "warning",
        path,
        message: `The volume ${source.volume} at ${at} is one of Docker or Kubernetes; a process of the node has no such thing, and ${service.name} runs without it.`,
        hint: "Name a folder of the node: host: /var/lib/…",
      });
    } else if (!source.path.startsWith("/")) {
      diagnostics.push({
        code: "render.needs-value",
        severity: "warning",
        path,
        message: `${source.path} does not begin at the root, so the unit of ${service.name} cannot show it: ~ and relative paths mean nothing to a service.`,
        hint: "Write the whole path.",
      });
    } else {
      (readOnly ? read : write).push(source.path);
      // Weights are named by their path on the node; other files by where the owner wants them seen.
      if (purpose === "data" && at !== source.path) bound.push({ from: source.path, to: at, readOnly });
      if (!readOnly && user === undefined) diagnostics.push(ownerless(service, source.path));
    }
  }
  return { paths: { read, write, bound }, diagnostics };
}

const ownerless = ({ name }: DeployedService, folder: string): Diagnostic => ({
  code: "render.needs-value",
  severity: "warning",
  path: "runtime.process.user",
  message: `${name} writes to ${folder}, but runs as a user that systemd makes up at every start and that owns nothing there.`,
  hint: "runtime: { kind: process, process: { user: omni } }, and give that user the folder",
});

interface Pinned {
  readonly environment: Environment;
  /** UUIDs whose numbers are looked up when the engine starts, because it takes no UUID itself. */
  readonly lookUp: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Engines that read CUDA_VISIBLE_DEVICES as numbers and end at a UUID (vLLM #20939, #32569, #46132). */
const BY_NUMBER = new Set(["vllm", "triton-vllm"]);

/**
 * The one variable that pins a service to its cards (CUDA C++ Programming Guide, CUDA_VISIBLE_DEVICES): by UUID, for vLLM
 * by the number that belongs to it at each start, or all by index where one has no UUID, because CUDA takes no mixture.
 * Empty where the machine has no other cards, where the owner or the engine sets it, and where neither is known of a card.
 */
export function pinnedCards(service: DeployedService, { hosts }: Deployment): Pinned {
  const { cards, environment, start, name, kind } = service;
  const nothing: Pinned = { environment: {}, lookUp: [], diagnostics: [] };
  if (cards.length === 0) return nothing;
  if ("CUDA_VISIBLE_DEVICES" in environment)
    return { ...nothing, diagnostics: BY_NUMBER.has(kind) ? takenForNumber(service) : [] };
  if ("CUDA_VISIBLE_DEVICES" in start.environment) return nothing;
  const uuids = cards.flatMap(({ uuid }) => uuid ?? []);
  if (uuids.length === cards.length)
    return BY_NUMBER.has(kind)
      ? { ...nothing, lookUp: uuids }
      : { ...nothing, environment: { CUDA_VISIBLE_DEVICES: uuids.join(",") } };
  const all = Object.keys(hosts.find((host) => host.name === service.machine)?.gpus ?? {});
  if (all.length === cards.length) return nothing;
  const indexes = cards.flatMap(({ index }) => index ?? []);
  const missing = cards.filter(({ uuid }) => uuid === undefined);
  const byIndex = indexes.length === cards.length;
  return {
    ...nothing,
    environment: byIndex ? { CUDA_DEVICE_ORDER: "PCI_BUS_ID", CUDA_VISIBLE_DEVICES: indexes.join(",") } : {},
    diagnostics: missing.map((card) => ({
      code: "render.needs-value",
      severity: "warning",
      path: `machines.${card.machine}.gpus.${card.name}`,
      message: byIndex
        ? `${name} is given ${card.name} by its index ${card.index ?? ""}, which can change at a boot or when a card is taken out.`
        : `${name} is not pinned: ${card.name} has no UUID in the spec. It may take any of the machine's ${all.length} cards.`,
      hint: "uuid: GPU-…   # nvidia-smi -L",
    })),
  };
}

function takenForNumber({ name, environment }: DeployedService): readonly Diagnostic[] {
  const value = environment["CUDA_VISIBLE_DEVICES"];
  if (typeof value !== "string" || !/GPU-|MIG-/.test(value)) return [];
  return [
    {
      code: "render.not-applicable",
      severity: "warning",
      path: `services.${name}.environment.CUDA_VISIBLE_DEVICES`,
      message: `vLLM takes the UUIDs in CUDA_VISIBLE_DEVICES of ${name} for numbers, and ends at its start.`,
      hint: "Take the variable out: by the UUIDs of its cards the unit looks up their numbers at each start.",
      source: "vLLM #20939",
    },
  ];
}

/** Whether every network that it stands on is closed to the outside. */
export function isSealed({ networks }: DeployedService, deployment: Deployment): boolean {
  const joined = deployment.networks.filter(({ name }) => networks.includes(name));
  return joined.length > 0 && joined.every(({ internal, isolation }) => internal || isolation !== "none");
}
