import type { Code } from "../../core/index.ts";
import type { ContainerStatus, Ended, Pod } from "./pod.ts";

/** What stands between a pod and its running engine. */
export interface Trouble {
  /** In the cluster's own words where it has any. */
  readonly message: string;
  /** Waiting does not help: how the start fails. */
  readonly fatal?: Code;
  readonly hint?: string;
}

const IMAGE: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
]);
/** Pulls that no repetition mends, by the words of containerd, CRI-O and the registries. */
const IMAGE_FOR_GOOD =
  /not found|manifest unknown|does not exist|denied|unauthorized|authentication required|forbidden|no match for platform|invalid reference|couldn't parse image/i;
const NO_PROGRAM = /executable file not found|no such file or directory|exec format error|permission denied/i;
const CONFIGURATION_FOR_GOOD = /not found|couldn't find key|non-existent|runAsNonRoot/i;

/** Why this pod does not run its engine yet, from its status; `undefined` when nothing is known or it runs. */
export function troubleOf(pod: Pod): Trouble | undefined {
  const scheduled = pod.conditions.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False" && pod.node === "") {
    return { message: `${scheduled.reason}: ${scheduled.message}` };
  }
  for (const init of pod.initContainers) {
    const trouble = waitingTrouble(init, pod);
    if (trouble !== undefined)
      return { ...trouble, message: `init container ${init.name}: ${trouble.message}` };
    const { lastState, state } = init;
    if (lastState.terminated !== undefined && state.running === undefined && state.terminated === undefined) {
      return {
        message: `init container ${init.name} ${endedWords(lastState.terminated)} and is tried again`,
      };
    }
  }
  return pod.engine === undefined ? undefined : waitingTrouble(pod.engine, pod);
}

function waitingTrouble({ state }: ContainerStatus, pod: Pod): Trouble | undefined {
  const { reason = "", message: words = "" } = state.waiting ?? {};
  if (reason === "" || reason === "ContainerCreating" || reason === "PodInitializing") return undefined;
  const message = words === "" ? reason : `${reason}: ${words}`;
  if (IMAGE.has(reason)) return imageTrouble(reason, words, message, pod);
  if (reason === "CreateContainerConfigError" && CONFIGURATION_FOR_GOOD.test(words)) {
    return {
      message,
      fatal: "engine.not-started",
      hint: `Create what is missing in the namespace: a Secret of the spec is its owner's to make. kubectl describe pod ${pod.name}`,
    };
  }
  if (/^(?:RunContainerError|CreateContainerError|StartError)$/.test(reason) && NO_PROGRAM.test(words)) {
    return { message, fatal: "engine.no-binary", hint: `The image ${pod.image} does not have the program.` };
  }
  return reason === "CrashLoopBackOff" ? undefined : { message };
}

function imageTrouble(reason: string, words: string, message: string, pod: Pod): Trouble {
  if (/no space left/i.test(words)) {
    return {
      message,
      fatal: "engine.no-space",
      hint: `Free space on the disk of ${pod.node === "" ? "the node" : pod.node} where images are kept.`,
    };
  }
  const forGood =
    reason === "InvalidImageName" || reason === "ErrImageNeverPull" || IMAGE_FOR_GOOD.test(words);
  return forGood ? { message: `${pod.image}: ${message}`, fatal: "engine.no-image" } : { message };
}

/** An engine that never was: its program could not be executed. */
export const neverStarted = (ended: Ended | undefined): boolean =>
  ended !== undefined &&
  (ended.reason === "StartError" || ended.reason === "ContainerCannotRun") &&
  NO_PROGRAM.test(ended.message);

/** How a container ended, as the rest of a sentence. */
function endedWords({ exitCode, signal, reason, message }: Ended): string {
  const how =
    signal === undefined || signal === null || signal === 0
      ? `exit code ${exitCode ?? "unknown"}`
      : `signal ${signal}`;
  return `ended with ${how}${reason === "" || reason === "Error" ? "" : `, ${reason}`}${message === "" ? "" : `: ${message}`}`;
}

/**
 * What the owner must know of an end beyond exit code and signal; nothing for a container that simply ended. `failed`: the
 * pod as a whole, as by an eviction.
 */
export function whyEnded(pod: Pod, ended: Ended | undefined, failed: boolean): string | undefined {
  if (failed)
    return `the pod ${pod.name} failed: ${pod.reason}${pod.message === "" ? "" : `: ${pod.message}`}`;
  if (ended === undefined) {
    const disrupted = pod.conditions.find(
      ({ type, status }) => type === "DisruptionTarget" && status === "True",
    );
    const why =
      disrupted === undefined
        ? "somebody deleted it, or its node is gone"
        : `${disrupted.reason}: ${disrupted.message}`;
    return `the pod ${pod.name} was taken away (${why}); Omni did not ask for that`;
  }
  return ["", "Error", "Completed"].includes(ended.reason) ? undefined : `the container ${endedWords(ended)}`;
}
