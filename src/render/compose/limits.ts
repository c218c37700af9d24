import type { DeployedService } from "../../deployment/index.ts";
import { composeText } from "../escape/compose.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposeService } from "./compose-file.ts";
import { composeBytes } from "./quantity.ts";

type Limits = Pick<
  ComposeService,
  | "cpuset"
  | "cpus"
  | "mem_limit"
  | "mem_reservation"
  | "shm_size"
  | "ulimits"
  | "privileged"
  | "cap_drop"
  | "cap_add"
  | "security_opt"
  | "read_only"
  | "tmpfs"
>;

/** What a service may take of the node, and what it may do there. */
export const limitsOf = (service: DeployedService, draft: ComposeDraft): Limits => ({
  ...processorOf(service, draft),
  ...memoryOf(service, draft),
  ...rightsOf(service, draft),
});

/**
 * Memory that is reserved stands beside cards that are: Compose refuses the whole file where `deploy` has reservations
 * and `mem_reservation` says something else than they do. Source: compose-go loader/validate.go (checkConsistency).
 */
export function withReservations(
  limits: Limits,
  deploy: ComposeService["deploy"],
): Limits & Pick<ComposeService, "deploy"> {
  if (deploy === undefined) return limits;
  const { mem_reservation: memory, ...others } = limits;
  if (memory === undefined) return { deploy, ...others };
  const { devices } = deploy.resources.reservations;
  return { deploy: { resources: { reservations: { memory, devices } } }, ...others };
}

function processorOf({ cpus, cards, threads, name, numaNode }: DeployedService, draft: ComposeDraft): Limits {
  if (numaNode !== undefined)
    draft.find({
      code: "render.not-applicable",
      severity: "note",
      path: `services.${name}.numaNode`,
      message: `Compose binds processors and no memory: ${name} gets memory of NUMA node ${numaNode} because its threads run there${cpus === undefined ? ", once cpus names them" : ""}.`,
      hint:
        cpus === undefined
          ? "cpus: 0-47   # lscpu shows each node's"
          : "Nothing to do; numactl -H shows where it lies.",
    });
  if (cpus !== undefined) return { cpuset: composeText(cpus, `services.${name}.cpus`) };
  // With cards the threads feed them and serve HTTP: a quota would throttle both. On the processor it keeps others alive.
  if (cards.length > 0 || threads === 0) return {};
  draft.note(
    ["services", name, "cpus"],
    "As many as it has threads that compute; Docker refuses more than the node has.",
  );
  return { cpus: threads };
}

function memoryOf(service: DeployedService, draft: ComposeDraft): Limits {
  const { name, shm, memoryLimit, memoryRequest, options } = service;
  if (shm !== undefined)
    draft.note(
      ["services", name, "shm_size"],
      "/dev/shm; Docker's own 64 MiB are too few for NCCL and Triton.",
    );
  if (memoryLimit !== undefined && shm !== undefined)
    draft.note(["services", name, "mem_limit"], "Pages of /dev/shm count, too.");
  const locked = options.weights === "lock";
  if (locked)
    draft.note(
      ["services", name, "ulimits"],
      "Its weights are locked in memory: never swapped, never dropped.",
    );
  return {
    ...(memoryLimit === undefined ? {} : { mem_limit: composeBytes(memoryLimit) }),
    ...(memoryRequest === 0 ? {} : { mem_reservation: composeBytes(memoryRequest) }),
    ...(shm === undefined ? {} : { shm_size: composeBytes(shm) }),
    ...(locked ? { ulimits: { memlock: { soft: -1, hard: -1 } } } : {}),
  };
}

/** Engines that are known to write nowhere but to their mounts and /tmp. */
const READ_ONLY_KINDS = new Set(["llama.cpp"]);

/** Docker's seccomp profile lets only holders of SYS_NICE choose the NUMA node of memory: mbind, set_mempolicy. */
const needsNuma = ({ kind, numaNode, start }: DeployedService): boolean =>
  kind === "ktransformers" || numaNode !== undefined || start.command.includes("--numa");

/** A folder in memory to write into, unless its owner has mounted something there: Compose takes one of the two. */
const temporary = ({ mounts }: DeployedService): Limits =>
  mounts.some(({ at }) => at === "/tmp") ? {} : { tmpfs: ["/tmp"] };

function rightsOf(service: DeployedService, draft: ComposeDraft): Limits {
  const { name, kind, options, privileged } = service;
  if (privileged) {
    draft.note(["services", name, "privileged"], "As asked for: it can do all that root of the node can.");
    return { privileged: true };
  }
  draft.note(
    ["services", name, "cap_drop"],
    "No rights beyond those of its user, root included: what it writes on the node must belong to that user.",
  );
  if (needsNuma(service))
    draft.note(["services", name, "cap_add"], "Choosing the NUMA node of memory (mbind) takes it.");
  const sealed =
    READ_ONLY_KINDS.has(kind) && options.command === undefined && options.entrypoint === undefined;
  return {
    cap_drop: ["ALL"],
    ...(needsNuma(service) ? { cap_add: ["SYS_NICE"] } : {}),
    security_opt: ["no-new-privileges:true"],
    ...(sealed ? { read_only: true, ...temporary(service) } : {}),
  };
}
