import { constants } from "node:os";
import { z } from "zod";
import type { ProcessExit } from "../../engines/engine.ts";
import { UNIT_LABEL } from "./marks.ts";
import type { Observed } from "./watched-objects.ts";

const WAITING = z.object({ reason: z.string().default(""), message: z.string().default("") });
const TERMINATED = z.object({
  exitCode: z.number().nullish(),
  signal: z.number().nullish(),
  reason: z.string().default(""),
  message: z.string().default(""),
});
const STATE = z
  .object({
    waiting: WAITING.optional(),
    running: z.object({}).optional(),
    terminated: TERMINATED.optional(),
  })
  .default({});

const CONTAINER_STATUS = z.object({
  name: z.string(),
  ready: z.boolean().default(false),
  restartCount: z.number().default(0),
  state: STATE,
  lastState: STATE,
});

const CONDITION = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(""),
  message: z.string().default(""),
});

const POD = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    creationTimestamp: z.string().default(""),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({
    nodeName: z.string().default(""),
    containers: z.array(
      z.object({
        name: z.string(),
        image: z.string().default(""),
        ports: z.array(z.object({ name: z.string().optional(), containerPort: z.number() })).default([]),
      }),
    ),
  }),
  status: z
    .object({
      phase: z.string().default("Pending"),
      reason: z.string().default(""),
      message: z.string().default(""),
      podIP: z.string().optional(),
      conditions: z.array(CONDITION).default([]),
      containerStatuses: z.array(CONTAINER_STATUS).default([]),
      initContainerStatuses: z.array(CONTAINER_STATUS).default([]),
    })
    .prefault({}),
});

/** How a container ended, by its kubelet. */
export type Ended = z.infer<typeof TERMINATED>;
export type ContainerStatus = z.infer<typeof CONTAINER_STATUS>;
type Condition = z.infer<typeof CONDITION>;

/** A pod of an engine as the API shows it. */
export interface Pod extends Observed {
  readonly name: string;
  /** Which start of Omni made it: the label that Omni gives the template. */
  readonly unit: string;
  readonly createdAt: string;
  readonly deleting: boolean;
  readonly phase: string;
  /** `Evicted`, `NodeLost`, `Preempting`: of the pod as a whole, empty when nothing is said. */
  readonly reason: string;
  readonly message: string;
  readonly node: string;
  readonly ip: string | undefined;
  /** Not the first pod of a group that spans machines. */
  readonly worker: boolean;
  readonly conditions: readonly Condition[];
  /** Of the engine's container; `undefined` before the kubelet spoke of it. */
  readonly engine: ContainerStatus | undefined;
  readonly engineName: string;
  readonly image: string;
  readonly initContainers: readonly ContainerStatus[];
  /** Port that the engine listens on inside: `http` or the first. */
  readonly port: number | undefined;
}

/** A pod of the API; `undefined` for what is none, which a server of another version may send. */
export function readPod(object: unknown): Pod | undefined {
  const parsed = POD.safeParse(object).data;
  if (parsed === undefined) return undefined;
  const { metadata, spec, status } = parsed;
  const container = spec.containers.find(({ name }) => name === "engine") ?? spec.containers[0];
  const port = container?.ports.find(({ name }) => name === "http") ?? container?.ports[0];
  const workerIndex = metadata.labels["leaderworkerset.sigs.k8s.io/worker-index"] ?? "0";
  return {
    uid: metadata.uid,
    name: metadata.name,
    unit: metadata.labels[UNIT_LABEL] ?? "",
    createdAt: metadata.creationTimestamp,
    deleting: metadata.deletionTimestamp !== undefined,
    phase: status.phase,
    reason: status.reason,
    message: status.message,
    node: spec.nodeName,
    ip: status.podIP,
    worker: workerIndex !== "0",
    conditions: status.conditions,
    engine: status.containerStatuses.find(({ name }) => name === container?.name),
    engineName: container?.name ?? "",
    image: container?.image ?? "",
    initContainers: status.initContainerStatuses,
    port: port?.containerPort,
  };
}

const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

const signalOf = (number: number): NodeJS.Signals | undefined => {
  const name = SIGNALS.get(number);
  return name === undefined ? undefined : SIGNAL_NAMES.find((known) => known === name);
};
/** Those that end a program; a container reports 128 and the number. */
const SIGNAL_NAMES: readonly NodeJS.Signals[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGSEGV",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
];

/**
 * An ended container in the words of a process. 137 is SIGKILL; only with `OOMKilled` it stays a number, because the
 * kernel and not a person sent it. Both null where the kubelet lost sight of it (`ContainerStatusUnknown`).
 */
export function exitOf(ended: Ended | undefined): ProcessExit {
  const code = ended?.exitCode;
  if (ended === undefined || code === undefined || code === null) return { code: null, signal: null };
  if (ended.reason === "ContainerStatusUnknown") return { code: null, signal: null };
  if (ended.reason === "OOMKilled") return { code, signal: null };
  const signal = signalOf(ended.signal ?? 0) ?? (code > 128 ? signalOf(code - 128) : undefined);
  return signal === undefined ? { code, signal: null } : { code: null, signal };
}

/** How the engine's container ended, if it did since it had been started `restarts` times. */
export function endedSince(pod: Pod, restarts: number): Ended | undefined {
  const { engine } = pod;
  if (engine === undefined) return undefined;
  if (engine.state.terminated !== undefined) return engine.state.terminated;
  if (engine.restartCount > restarts) {
    return engine.lastState.terminated ?? { reason: "", message: "the kubelet restarted it" };
  }
  return undefined;
}

export const isRunning = (pod: Pod): boolean => pod.engine?.state.running !== undefined && !pod.deleting;

export const isReady = (pod: Pod): boolean => isRunning(pod) && pod.engine?.ready === true;
